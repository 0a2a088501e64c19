/** One person in a room: the name, the lines, the end. @module */
import { toPrintable } from "../../common/escape.ts";
import { type ChatCommand, HELP, parseCommand } from "./_commands.ts";
import { type ChatOutput, PacedLines } from "./_paced_lines.ts";
import { RateLimit } from "./_rate.ts";
import { encodeLine, type Member, type RoomState } from "./_room_state.ts";
import { checkChatName } from "./names.ts";

const QUESTION = "What is your name?";
const encoder = new TextEncoder();
/** Characters of names in one line of what `/who` answers. */
const WHO_WIDTH = 512;

/**
 * One person in a room, from connecting to leaving: what `ChatRoom.connect` returns. The transport
 * hands it what arrives; what it says in turn goes to the `ChatOutput`.
 */
export class ChatSession {
  readonly #room: RoomState;
  readonly #output: ChatOutput;
  readonly #lines: PacedLines;
  readonly #address: string | undefined;
  readonly #rate: RateLimit;
  #member: Member | undefined; // once there is a name
  #attempts = 0;
  #unsent = 0; // lines dropped since the last one that was not
  #ended = false;

  /**
   * For rooms only.
   *
   * @internal
   */
  constructor(room: RoomState, output: ChatOutput, address: string | undefined) {
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
   * Takes a line that the person sent: a name at first, then messages and commands. One that comes too
   * early ({@linkcode delay}) is dropped.
   *
   * @param line The line without its end.
   */
  receive(line: string): void {
    if (this.#ended || !this.#isInTime()) return;
    const member = this.#member;
    const shown = member === undefined ? line : toPrintable(line);
    if (this.#isTooLong(shown)) this.#refuseLength(!this.#isTooLong(line));
    else if (member === undefined) this.#introduce(line);
    else this.#execute(member, parseCommand(shown));
  }

  /** Tells the person that a line was longer than the room's `maxLineLength` and was dropped. */
  receiveTooLong(): void {
    if (!this.#ended && this.#isInTime()) this.#refuseLength(false);
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
    if (this.#member === undefined) return;
    const why = reason === undefined || reason === "" ? "" : `: ${toPrintable(reason)}`;
    this.#room.announceMove(this.#member, "left", why);
  }

  /**
   * Says goodbye to this person, announces it to the others, and has the output ended.
   *
   * @param reason Why, for the person and the others.
   */
  dismiss(reason: string): void {
    this.#dismiss(reason, () => this.leave(reason));
  }

  /**
   * Says goodbye and has the output ended as {@linkcode dismiss} does, without announcing it: the others
   * are about to be dismissed, too.
   *
   * @param reason Why, for the person.
   */
  dismissQuietly(reason: string): void {
    this.#dismiss(reason, () => this.#end());
  }

  #dismiss(reason: string, leave: () => void): void {
    if (this.#ended) return;
    this.#lines.drop(); // nothing comes after the goodbye
    this.#notice(reason === "" ? "Goodbye" : `Goodbye: ${toPrintable(reason)}`);
    leave();
    this.#output.end();
  }

  #end(): void {
    this.#ended = true;
    this.#lines.drop();
    this.#room.sessions.delete(this);
    if (this.#member !== undefined) this.#room.leave(this.#member);
  }

  #notice(text: string): void {
    this.#lines.send(noticeLine(text));
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

  #refuseLength(whenShown: boolean): void {
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
    const member = { name, key, looks, address: this.#address, send };
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
    const others = this.#room.names.length - 1;
    const company = others === 0
      ? "Nobody else is here"
      : others === 1
      ? "One other is here"
      : `${others} others are here`;
    this.#notice(`Welcome, ${name}! ${company}; /help lists the commands`);
    const earlier = this.#room.history;
    if (earlier.length > 0) {
      const count = earlier.length === 1 ? "line" : `${earlier.length} lines`;
      this.#lines.sendAll([
        noticeLine(`Earlier, the last ${count}:`),
        ...earlier,
        noticeLine("That was earlier"),
      ]);
    }
    this.#room.announceMove(member, "joined");
  }

  #execute(member: Member, command: ChatCommand): void {
    switch (command.kind) {
      case "nothing":
        return;
      case "say":
        return this.#room.broadcast(`<${member.name}> ${command.text}`, member);
      case "act":
        return this.#room.broadcast(`* ${member.name} ${command.text}`, member);
      case "tell":
        return this.#tell(member.name, command.to, command.text);
      case "who":
        return this.#who();
      case "help":
        return HELP.forEach((line) => this.#notice(line));
      case "wrong":
        return this.#notice(command.answer);
      case "quit":
        return this.#dismiss("", () => this.leave(command.text));
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
    const { names } = this.#room;
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
