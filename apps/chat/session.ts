/** One person's way through a room: the name, the lines, the end. @module */
import { type Command, HELP, parseCommand } from "./_commands.ts";
import { RateLimit } from "./_rate.ts";
import { checkChatName } from "./names.ts";
import { toPrintable } from "../printable.ts";
import type { ChatRoomOptions } from "./room_options.ts";

/** Where a room's lines for one person go. */
export interface ChatOutput {
  /**
   * Takes a line, with its newline, as UTF-8. The same bytes are given to everybody: they must not be
   * changed, and they never are.
   */
  send(line: Uint8Array): void;
  /** The person is to be disconnected once everything was sent. Called at most once. */
  end(): void;
}

/** Somebody with a name. */
export interface Member {
  readonly session: ChatSession;
  readonly name: string;
  /** What is the same for names that are the same. */
  readonly key: string;
  /** What the name looks like. */
  readonly looks: readonly string[];
  readonly output: ChatOutput;
}

/** What a session needs of its room. */
export interface SessionRoom {
  readonly options: Required<ChatRoomOptions>;
  readonly memberCount: number;
  names(): string[];
  find(name: string): Member | undefined;
  /** Takes the name, or says why not. */
  enter(member: Member): string | undefined;
  history(): readonly Uint8Array[];
  /** Sends to all but `except`. */
  broadcast(line: string, except: ChatSession, remember: boolean): void;
  leave(session: ChatSession, member: Member | undefined): void;
}

const QUESTION = "What is your name?";
const encoder = new TextEncoder();
/** Characters of names in one line of what `/who` answers. */
const WHO_WIDTH = 512;

/** The bytes of one line. */
export function encodeLine(line: string): Uint8Array {
  return encoder.encode(`${line}\n`);
}

let create: (room: SessionRoom, output: ChatOutput) => ChatSession;

/**
 * One person in a room, from connecting to leaving: what `ChatRoom.connect` answers with. Whoever
 * carries the bytes tells it what arrives; what it says in turn goes to the `ChatOutput`.
 */
export class ChatSession {
  readonly #room: SessionRoom;
  readonly #output: ChatOutput;
  readonly #rate: RateLimit;
  #member: Member | undefined; // once there is a name
  #attempts = 0;
  #unsent = 0; // lines dropped since the last one that was not
  #ended = false;

  static {
    create = (room, output) => new ChatSession(room, output);
  }

  private constructor(room: SessionRoom, output: ChatOutput) {
    const { maxLinesPerSecond, maxLinesAtOnce, now } = room.options;
    this.#room = room;
    this.#output = output;
    this.#rate = new RateLimit(maxLinesPerSecond, maxLinesAtOnce, now());
    this.#notice(QUESTION);
  }

  /** The name, `null` as long as there is none. */
  get name(): string | null {
    return this.#member?.name ?? null;
  }

  /** Whether it is over: lines that arrive now are ignored. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes a line that the person sent: a name at first, then messages and commands.
   *
   * @param line The line without its end.
   */
  receive(line: string): void {
    if (this.#ended || !this.#isInTime()) return;
    const { maxLineLength } = this.#room.options;
    // A UTF-16 unit takes one to three bytes.
    if (line.length * 3 > maxLineLength && encoder.encode(line).length > maxLineLength) {
      this.#complainOfLength();
    } else if (this.name === null) {
      this.#introduce(line);
    } else {
      this.#obey(this.name, parseCommand(toPrintable(line)));
    }
  }

  /** Takes notice of a line that was longer than the room's `maxLineLength` and was dropped. */
  receiveTooLong(): void {
    if (!this.#ended && this.#isInTime()) this.#complainOfLength();
  }

  /**
   * Sends a line to this person only, as the room itself.
   *
   * @param text The line; it is made printable.
   */
  notify(text: string): void {
    if (!this.#ended) this.#notice(toPrintable(text));
  }

  /**
   * Takes notice that the connection has ended, and tells the others. Calling it again does nothing.
   *
   * @param reason Why, for the others; nothing if they need not know.
   */
  leave(reason?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#room.leave(this, this.#member);
    if (this.name === null) return;
    const why = reason === undefined || reason === "" ? "" : `: ${toPrintable(reason)}`;
    this.#room.broadcast(`*** ${this.name} has left${why}`, this, false);
  }

  /**
   * Says goodbye to this person, tells the others, and has the output ended.
   *
   * @param reason Why, for the person and the others.
   */
  dismiss(reason: string): void {
    if (this.#ended) return;
    this.#goodbye(reason);
    this.leave(reason);
    this.#output.end();
  }

  /**
   * Says goodbye and has the output ended as {@linkcode dismiss} does, but without a word to the
   * others: they are about to be dismissed too.
   *
   * @param reason Why, for the person.
   */
  dismissQuietly(reason: string): void {
    if (this.#ended) return;
    this.#goodbye(reason);
    this.#ended = true;
    this.#room.leave(this, this.#member);
    this.#output.end();
  }

  #notice(text: string): void {
    this.#output.send(encodeLine(`*** ${text}`));
  }

  #goodbye(reason: string): void {
    this.#notice(reason === "" ? "Goodbye" : `Goodbye: ${toPrintable(reason)}`);
  }

  /** Whether a line is within the rate; if not, it is dropped and the person told, once. */
  #isInTime(): boolean {
    const { maxLinesPerSecond, maxLinesAtOnce, now } = this.#room.options;
    if (this.#rate.take(now())) {
      if (this.#unsent > 1) this.#notice(`${this.#unsent} of your lines were not sent`);
      this.#unsent = 0;
      return true;
    }
    if (++this.#unsent === 1) {
      this.#notice(
        `Not sent: at most ${maxLinesPerSecond} lines a second are allowed, ${maxLinesAtOnce} at once`,
      );
    }
    return false;
  }

  #complainOfLength(): void {
    const { maxLineLength, maxNameLength } = this.#room.options;
    if (this.name === null) {
      this.#refuseName(`the name is longer than ${maxNameLength} characters`);
    } else {
      this.#notice(`Not sent: a line may have at most ${maxLineLength} bytes`);
    }
  }

  #introduce(line: string): void {
    if (/^\/quit\b/i.test(line)) return this.dismiss("");
    const check = checkChatName(line, { maxLength: this.#room.options.maxNameLength });
    if (!check.ok) return this.#refuseName(check.reason);
    const { name, key, looks } = check;
    const member = { session: this, name, key, looks, output: this.#output };
    const problem = this.#room.enter(member);
    if (problem === undefined) this.#enter(member);
    else this.#refuseName(problem);
  }

  #refuseName(problem: string): void {
    const { maxNameAttempts } = this.#room.options;
    if (++this.#attempts < maxNameAttempts) {
      this.#notice(`Sorry, ${toPrintable(problem)}. ${QUESTION}`);
    } else {
      this.dismiss(`${toPrintable(problem)}, and that was try number ${maxNameAttempts}`);
    }
  }

  #enter(member: Member): void {
    const { name } = this.#member = member;
    const others = this.#room.memberCount - 1;
    const company = others === 0
      ? "Nobody else is here"
      : others === 1
      ? "One other is here"
      : `${others} others are here`;
    this.#notice(`Welcome, ${name}! ${company}; /help lists the commands`);
    const earlier = this.#room.history();
    if (earlier.length > 0) {
      this.#notice(
        `Earlier, the last ${earlier.length === 1 ? "line" : `${earlier.length} lines`}:`,
      );
      for (const bytes of earlier) this.#output.send(bytes);
      this.#notice("That was earlier");
    }
    this.#room.broadcast(`*** ${name} has joined`, this, false);
  }

  #obey(name: string, command: Command): void {
    switch (command.kind) {
      case "nothing":
        return;
      case "say":
        return this.#room.broadcast(`<${name}> ${command.text}`, this, true);
      case "act":
        return this.#room.broadcast(`* ${name} ${command.text}`, this, true);
      case "tell":
        return this.#tell(name, command.to, command.text);
      case "who":
        return this.#who();
      case "help":
        return HELP.forEach((line) => this.#notice(line));
      case "wrong":
        return this.#notice(command.answer);
      case "quit":
        this.#goodbye("");
        this.leave(command.text);
        this.#output.end();
    }
  }

  #tell(name: string, to: string, text: string): void {
    const receiver = this.#room.find(to);
    if (receiver === undefined) {
      return this.#notice(`Not sent: there is no ${to} here; /who lists who is`);
    }
    this.#output.send(encodeLine(`[to ${receiver.name}] ${text}`));
    receiver.output.send(encodeLine(`[${name}] ${text}`));
  }

  #who(): void {
    const names = this.#room.names();
    this.#notice(`Here ${names.length === 1 ? "is 1 person" : `are ${names.length} people`}:`);
    let line = "";
    for (const name of names) {
      if (line !== "" && line.length + name.length > WHO_WIDTH) {
        this.#notice(line);
        line = "";
      }
      line += line === "" ? name : `, ${name}`;
    }
    this.#notice(line);
  }
}

/** Makes a session; for rooms only. */
export function createSession(room: SessionRoom, output: ChatOutput): ChatSession {
  return create(room, output);
}
