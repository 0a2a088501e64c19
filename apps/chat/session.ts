/** One person in a room: the name, the lines, the end. @module */
import { type ChatCommand, HELP, parseCommand } from "./_commands.ts";
import { PacedLines } from "./_paced_lines.ts";
import { RateLimit } from "./_rate.ts";
import { checkChatName } from "./names.ts";
import { toPrintable } from "../../common/escape.ts";
import type { ChatOutput } from "./output.ts";
import type { RoomSettings } from "./room_options.ts";

/** A person with a name. */
export interface Member {
  readonly session: ChatSession;
  readonly name: string;
  /** What is the same for names that are the same. */
  readonly key: string;
  /** What the name looks like. */
  readonly looks: readonly string[];
  /** Where the person comes from; `undefined` if there is no address. */
  readonly address: string | undefined;
  /** Sends a line to the person. */
  send(line: Uint8Array): void;
}

/** What a session needs of its room. */
export interface SessionRoom {
  readonly settings: RoomSettings;
  readonly memberCount: number;
  names(): string[];
  find(name: string): Member | undefined;
  /** Takes the name, or says why not. */
  enter(member: Member): string | undefined;
  history(): readonly Uint8Array[];
  /** Sends something said to all but the one who said it, and remembers it. */
  broadcast(line: string, except: ChatSession): void;
  /** Tells all others that a member came or went. */
  announceMove(line: string, move: "joined" | "left", except: ChatSession): void;
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

let create: (room: SessionRoom, output: ChatOutput, address: string | undefined) => ChatSession;

/**
 * One person in a room, from connecting to leaving: what `ChatRoom.connect` returns. The transport
 * hands it what arrives; what it says in turn goes to the `ChatOutput`.
 */
export class ChatSession {
  readonly #room: SessionRoom;
  readonly #output: ChatOutput;
  readonly #lines: PacedLines;
  readonly #address: string | undefined;
  readonly #rate: RateLimit;
  #member: Member | undefined; // once there is a name
  #attempts = 0;
  #unsent = 0; // lines dropped since the last one that was not
  #ended = false;

  static {
    create = (room, output, address) => new ChatSession(room, output, address);
  }

  private constructor(room: SessionRoom, output: ChatOutput, address: string | undefined) {
    const { maxLinesPerSecond, maxLinesAtOnce, now } = room.settings;
    this.#room = room;
    this.#output = output;
    this.#lines = new PacedLines(output, () => this.dismiss("could not keep up"));
    this.#address = address;
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
   * Milliseconds until the person may say the next line, 0 if it is now. The transport reads none before:
   * then no line is dropped, and the sender has to wait.
   */
  get delay(): number {
    return this.#rate.wait(this.#room.settings.now());
  }

  /**
   * Settles when a long answer (the history, the names) is on its way; `undefined` if there is none. The
   * transport reads no line before, so that one answer at most waits.
   */
  get ready(): Promise<void> | undefined {
    return this.#lines.ready;
  }

  /**
   * Takes a line that the person sent: a name at first, then messages and commands. One that comes before
   * its time ({@linkcode delay}) is dropped.
   *
   * @param line The line without its end.
   */
  receive(line: string): void {
    if (this.#ended || !this.#isInTime()) return;
    const { name } = this;
    const shown = name === null ? line : toPrintable(line);
    if (this.#isTooLong(shown)) this.#complainOfLength(!this.#isTooLong(line));
    else if (name === null) this.#introduce(line);
    else this.#obey(name, parseCommand(shown));
  }

  /** Takes notice of a line that was longer than the room's `maxLineLength` and was dropped. */
  receiveTooLong(): void {
    if (!this.#ended && this.#isInTime()) this.#complainOfLength(false);
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
   * Notes that the connection has ended, and announces it to the others. Calling it again does nothing.
   *
   * @param reason Why, for the others; nothing if they need not know.
   */
  leave(reason?: string): void {
    if (this.#ended) return;
    this.#end();
    if (this.name === null) return;
    const why = reason === undefined || reason === "" ? "" : `: ${toPrintable(reason)}`;
    this.#room.announceMove(`*** ${this.name} has left${why}`, "left", this);
  }

  /**
   * Says goodbye to this person, announces it to the others, and has the output ended.
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
   * Says goodbye and has the output ended as {@linkcode dismiss} does, without announcing it: the others
   * are about to be dismissed, too.
   *
   * @param reason Why, for the person.
   */
  dismissQuietly(reason: string): void {
    if (this.#ended) return;
    this.#goodbye(reason);
    this.#end();
    this.#output.end();
  }

  #end(): void {
    this.#ended = true;
    this.#lines.drop();
    this.#room.leave(this, this.#member);
  }

  #notice(text: string): void {
    this.#lines.send(noticeLine(text));
  }

  #goodbye(reason: string): void {
    this.#lines.drop(); // nothing comes after it
    this.#notice(reason === "" ? "Goodbye" : `Goodbye: ${toPrintable(reason)}`);
  }

  /** Whether a line is within the rate; if not, it is dropped, and a notice says so once. */
  #isInTime(): boolean {
    const { maxLinesPerSecond, maxLinesAtOnce, now } = this.#room.settings;
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

  #isTooLong(line: string): boolean {
    const { maxLineLength } = this.#room.settings;
    // A UTF-16 unit takes one to three bytes.
    return line.length > maxLineLength ||
      line.length * 3 > maxLineLength && encoder.encode(line).length > maxLineLength;
  }

  #complainOfLength(whenShown: boolean): void {
    const { maxLineLength, maxNameLength } = this.#room.settings;
    if (this.name === null) {
      this.#refuseName(`the name is longer than ${maxNameLength} characters`);
    } else {
      const why = whenShown ? " with its control characters made visible" : "";
      this.#notice(`Not sent: a line may have at most ${maxLineLength} bytes${why}`);
    }
  }

  #introduce(line: string): void {
    if (/^\/quit\b/i.test(line)) return this.dismiss("");
    const check = checkChatName(line, this.#room.settings.maxNameLength);
    if (!check.ok) return this.#refuseName(check.reason);
    const { name, key, looks } = check;
    const send = (line: Uint8Array) => this.#lines.send(line);
    const member = { session: this, name, key, looks, address: this.#address, send };
    const problem = this.#room.enter(member);
    if (problem === undefined) this.#enter(member);
    else this.#refuseName(problem);
  }

  #refuseName(problem: string): void {
    const { maxNameAttempts } = this.#room.settings;
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
      const count = earlier.length === 1 ? "line" : `${earlier.length} lines`;
      this.#lines.sendAll([
        noticeLine(`Earlier, the last ${count}:`),
        ...earlier,
        noticeLine("That was earlier"),
      ]);
    }
    this.#room.announceMove(`*** ${name} has joined`, "joined", this);
  }

  #obey(name: string, command: ChatCommand): void {
    switch (command.kind) {
      case "nothing":
        return;
      case "say":
        return this.#room.broadcast(`<${name}> ${command.text}`, this);
      case "act":
        return this.#room.broadcast(`* ${name} ${command.text}`, this);
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
    this.#lines.send(encodeLine(`[to ${receiver.name}] ${text}`));
    receiver.send(encodeLine(`[${name}] ${text}`));
  }

  #who(): void {
    const names = this.#room.names();
    const lines: string[] = [];
    let line = "";
    for (const name of names) {
      if (line !== "" && line.length + name.length > WHO_WIDTH) {
        lines.push(line);
        line = "";
      }
      line += line === "" ? name : `, ${name}`;
    }
    const count = names.length === 1 ? "is 1 person" : `are ${names.length} people`;
    this.#lines.sendAll([`Here ${count}:`, ...lines, line].map(noticeLine));
  }
}

function noticeLine(text: string): Uint8Array {
  return encodeLine(`*** ${text}`);
}

/** Makes a session; for rooms only. */
export function createSession(
  room: SessionRoom,
  output: ChatOutput,
  address: string | undefined,
): ChatSession {
  return create(room, output, address);
}
