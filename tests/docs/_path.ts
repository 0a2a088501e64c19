/** Walks through a page as its reader would: from top to bottom, in a clean clone, at several terminals. */
import { assert, assertEquals } from "@std/assert";
import { hasPeer, peersIn, type Register, testWith } from "../_util/peers.ts";
import { Terminal } from "../_util/terminal.ts";
import { Clone, type Outcome } from "./_clone.ts";
import { type Block, fileOf, type Page } from "./_page.ts";
import { WORLD_PEERS } from "./_world.ts";

/** Wide enough that no line of a page is broken. */
const COLUMNS = 200;

/** Whether the network of the pages can be made here. */
const hasWorld = WORLD_PEERS.every(hasPeer);

/** `Deno.test` for walking through a page, with the programs that it calls. */
export function walkTest({ blocks }: Page): Register {
  const scripts = blocks.filter(({ language, fate }) => language === "sh" && fate !== "not run");
  return testWith(...WORLD_PEERS, ...scripts.flatMap(({ code }) => peersIn(code)));
}

/** Does what a page says, block by block, and checks that it shows what the page says it shows. */
export async function walk(page: Page): Promise<void> {
  await using clone = await Clone.make(true);
  await using desk = new Desk(clone);
  let section = 0;
  for (const block of page.blocks) {
    try {
      if (block.section !== section) await desk.clear();
      section = block.section;
      await follow(page, block, clone, desk);
    } catch (error) {
      throw new Error(`${page.path}, line ${block.line}: ${error}\n${desk}`, { cause: error });
    }
  }
  await desk.clear();
}

async function follow(page: Page, block: Block, clone: Clone, desk: Desk): Promise<void> {
  const { fate, language, label, code } = block;
  if (fate === "file") return await clone.write(label, code);
  if (fate === "terminal") {
    if (language === "text") return desk.watch(label, linesOf(code));
    return await desk.start(label, code, openingOf(page, block));
  }
  if (fate !== "run" || language === "ts") return; // ts is run by `testAll`
  await desk.settle();
  const argv = language === "sh" ? ["sh", "-euc", code] : ["python3", "-c", code];
  const outcome = await clone.run(argv);
  assertEquals(outcome.code, 0, outcome.output);
}

/** What a program shows first, by its block or by the one of its terminal behind it. */
function openingOf(page: Page, block: Block): Opening {
  const [, says] = / # says: (.*)\n$/.exec(block.code) ?? [];
  if (says !== undefined) return { line: says, isShownBelow: false };
  const next = page.blocks.find((other) =>
    other.fate === "terminal" && other.label === block.label && other.section === block.section &&
    other.line > block.line
  );
  assert(next?.language === "text", `the page does not say what terminal ${block.label} shows`);
  return { line: linesOf(next.code)[0] ?? "", isShownBelow: true };
}

/**
 * Runs every `ts` block of the pages as a test of its own, and checks the types of their files. All in
 * one clone, a folder for each page: types are checked once, which takes longer than running. Where
 * there can be no example.com, what asks for it is only checked.
 */
export async function testAll(pages: readonly Page[]): Promise<Outcome & { count: number }> {
  await using clone = await Clone.make(hasWorld);
  const files: string[] = [];
  const tests: string[] = [];
  for (const [index, page] of pages.entries()) {
    const folder = `page_${index}`;
    for (const block of page.blocks) {
      if (block.fate === "file") {
        await clone.write(`${folder}/${block.label}`, fileOf(page, block.label));
        if (block.language === "ts") files.push(`${folder}/${block.label}`);
      } else if (block.fate === "run" && block.language === "ts") {
        const name = `${folder}/line_${String(block.line).padStart(4, "0")}_test.ts`;
        await clone.write(name, toTest(page, block));
        files.push(name);
        if (hasWorld || !block.code.includes("example.com")) tests.push(name);
      }
    }
  }
  const checked = await clone.run(["deno", "check", ...files]);
  if (checked.code !== 0) return { ...checked, count: 0 };
  const outcome = await clone.run(["deno", "test", "--no-check", "--allow-all", ...tests]);
  return { ...outcome, count: tests.length };
}

/** A block as a test: its imports in front, the rest inside. */
function toTest(page: Page, block: Block): string {
  const imports: string[] = [];
  const body = block.code.replaceAll(/^import\b[^;]*;\n/gm, (found) => {
    imports.push(found);
    return "";
  });
  const title = JSON.stringify(`${page.path}, line ${block.line}`);
  return `${imports.join("")}\nDeno.test(${title}, async () => {\nawait undefined;\n${body}});\n`;
}

function linesOf(code: string): string[] {
  return code.split("\n").slice(0, -1);
}

/** The line that tells that a program has begun. */
interface Opening {
  readonly line: string;
  /** Whether it is the first line of the terminal's next text. */
  readonly isShownBelow: boolean;
}

/** The terminals before somebody who follows a page. */
class Desk implements AsyncDisposable {
  readonly #clone: Clone;
  readonly #seats = new Map<string, Seat>();

  constructor(clone: Clone) {
    this.#clone = clone;
  }

  /** Runs a command at a terminal, and waits until it shows its first line, unless that is typed. */
  async start(name: string, code: string, opening: Opening): Promise<void> {
    const before = this.#seats.get(name);
    if (before !== undefined) await before.leave();
    const { command, args } = this.#clone.command(["sh", "-c", code]);
    const seat = new Seat(new Terminal(command, args, COLUMNS));
    this.#seats.set(name, seat);
    await seat.open(opening);
  }

  /** Lets a terminal show and type lines, beside what the others do. */
  watch(name: string, lines: readonly string[]): void {
    const seat = this.#seats.get(name);
    assert(seat, `nothing was started at terminal ${name}`);
    seat.play(lines);
  }

  /** Waits until all terminals have shown what they should. */
  async settle(): Promise<void> {
    for (const seat of this.#seats.values()) await seat.settle();
  }

  /** Ends everything that runs. */
  async clear(): Promise<void> {
    await this.settle();
    for (const seat of [...this.#seats.values()].reverse()) await seat.leave();
    this.#seats.clear();
  }

  /** All screens, for messages. */
  toString(): string {
    return [...this.#seats].map(([name, seat]) => `--- ${name}:\n${seat}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const seat of this.#seats.values()) await seat[Symbol.asyncDispose]();
  }
}

/** One terminal, and how far the page's text for it was followed. */
class Seat implements AsyncDisposable {
  readonly #terminal: Terminal;
  #playing: Promise<void> = Promise.resolve();
  /** The row that stands for the last line of the page's text. */
  #row = -1;
  #isOpeningPlayed = false;
  #interrupted = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async open({ line, isShownBelow }: Opening): Promise<void> {
    if (isTyped(line)) return;
    await this.#shows(line);
    this.#isOpeningPlayed = isShownBelow;
  }

  play(lines: readonly string[]): void {
    const rest = this.#isOpeningPlayed ? lines.slice(1) : lines;
    this.#isOpeningPlayed = false;
    this.#playing = this.#playing.then(async () => {
      for (const line of rest) await this.#follow(line);
    });
    this.#playing.catch(() => {}); // `settle` tells
  }

  async settle(): Promise<void> {
    await this.#playing;
  }

  /** Interrupts the program, if it has not ended, and waits for its end. */
  async leave(): Promise<void> {
    await this.#playing;
    if (!this.#terminal.ended) await this.#interrupt();
    const { code } = await this.#terminal.end();
    await this.#terminal[Symbol.asyncDispose]();
    const expected = this.#interrupted ? [0, 130, -2] : [0]; // -2: by the signal itself, as nc does
    assert(expected.includes(code), `it ended with ${code}`);
  }

  toString(): string {
    return String(this.#terminal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#terminal[Symbol.asyncDispose]();
    await this.#playing.catch(() => {});
  }

  async #follow(line: string): Promise<void> {
    if (line === "^C") return await this.#interrupt();
    if (line === "^D") return await this.#terminal.type("\x04");
    if (!isTyped(line)) return await this.#shows(line);
    const [, prompt = "", text = ""] = /^(.*?[>?:] )?(.*) ⏎$/.exec(line) ?? [];
    await this.#terminal.until((rows) => {
      const { row, column } = this.#terminal.cursor;
      return column === prompt.length && (rows[row] ?? "") === prompt.trimEnd();
    });
    await this.#terminal.type(`${text}\r`);
    await this.#shows(`${prompt}${text}`);
  }

  /** Waits for a line below the last one. */
  async #shows(line: string): Promise<void> {
    const pattern = patternOf(line);
    let found = -1;
    try {
      await this.#terminal.until((rows) => {
        found = rows.findIndex((row, index) => index > this.#row && pattern.test(row));
        return found >= 0;
      });
    } catch {
      throw new Error(`below row ${this.#row + 1} there is no ${JSON.stringify(line)}`);
    }
    this.#row = found;
  }

  async #interrupt(): Promise<void> {
    this.#interrupted = true;
    await this.#terminal.type("\x03").catch(() => {}); // it has just ended
  }
}

/** What differs from run to run: clock times, durations, the system's ports, and what `…` stands for. */
const VARIES = /\d\d:\d\d:\d\d\.\d{3}|\d+\.\d+(?= m?s\b)|(?<=:)[3-6]\d{4}\b|…| +/g;

/** What a line of a page may look like on the screen; how many spaces there are does not matter. */
function patternOf(line: string): RegExp {
  const escape = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  let pattern = "";
  let at = 0;
  for (const { 0: found, index } of line.matchAll(VARIES)) {
    pattern += escape(line.slice(at, index));
    pattern += found === "…" ? ".*" : found.trim() === "" ? " +" : "[\\d.:]+";
    at = index + found.length;
  }
  return new RegExp(`^${pattern}${escape(line.slice(at))}$`, "u");
}

function isTyped(line: string): boolean {
  return line.endsWith(" ⏎") || line === "^C" || line === "^D";
}
