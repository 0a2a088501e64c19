/**
 * Asking people for lines while other lines arrive. On a terminal the line is edited with readline and
 * what arrives appears above it; otherwise lines are read and written as they are.
 *
 * @module
 */
import type { Interface } from "node:readline";
import type { WriteStream } from "node:tty";
import { frames } from "../framing/frames.ts";
import { lines } from "../framing/lines.ts";
import { text } from "../framing/text.ts";
import { onInterrupt, printData } from "./program.ts";

/** Lines typed or pasted ahead of the program; beyond that it reads no more until it has caught up. */
const MAX_LINES_AHEAD = 1_000;

/** How to ask. */
export interface PromptOptions {
  /** What stands in front of the line on a terminal. */
  prompt: string;
  /** Called on Ctrl-C and SIGTERM, with the terminal as it was before. */
  interrupt: () => void;
}

/** A person at a terminal, or a program that writes lines. Iterating gives the lines, up to Ctrl-D. */
export interface Prompt extends AsyncIterable<string> {
  /** Whether there is a terminal. */
  readonly isTerminal: boolean;
  /** Changes what stands in front of the next line. */
  setPrompt(prompt: string): void;
  /** Writes a line of data to stdout, above the line being typed. */
  show(line: string): Promise<void>;
  /** Writes a line for people to stderr, above the line being typed. */
  note(line: string): void;
  /** Asks no more; the terminal is as it was before. Calling it again does nothing. */
  close(): void;
}

/** Begins to ask for lines. */
export async function openPrompt(options: PromptOptions): Promise<Prompt> {
  const isTerminal = Deno.stdin.isTerminal() &&
    (Deno.stdout.isTerminal() || Deno.stderr.isTerminal());
  if (!isTerminal) return plainPrompt(options.interrupt);
  // Loading these takes as long as the rest of the program, so only where they are used.
  const { createInterface } = await import("node:readline");
  const { default: process } = await import("node:process");
  const output = Deno.stdout.isTerminal() ? process.stdout : process.stderr;
  const readline = createInterface({
    input: process.stdin,
    output,
    terminal: true,
    prompt: options.prompt,
  });
  return new TerminalPrompt(readline, output, options.interrupt);
}

class TerminalPrompt implements Prompt {
  readonly isTerminal = true;
  readonly #readline: Interface;
  readonly #output: WriteStream;
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(readline: Interface, output: WriteStream, interrupt: () => void) {
    this.#readline = readline;
    this.#output = output;
    readline.on("line", (line) => this.#take(line));
    readline.on("close", () => this.#end());
    const stop = () => {
      this.close();
      interrupt();
    };
    readline.on("SIGINT", stop); // in raw mode Ctrl-C is a key
    readline.on("SIGCONT", () => readline.prompt(true)); // after Ctrl-Z and fg it is paused
    onInterrupt(stop);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", stop);
    globalThis.addEventListener("unload", () => this.close());
    readline.prompt();
  }

  setPrompt(prompt: string): void {
    this.#readline.setPrompt(prompt);
  }

  async show(line: string): Promise<void> {
    if (Deno.stdout.isTerminal()) this.#above(line);
    else await printData(`${line}\n`);
  }

  note(line: string): void {
    if (Deno.stderr.isTerminal()) this.#above(line);
    else console.error(line);
  }

  close(): void {
    if (!this.#closed) this.#readline.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    while (true) {
      const line = this.#lines.shift();
      if (line !== undefined) {
        if (this.#lines.length === MAX_LINES_AHEAD / 2) this.#readline.resume();
        yield line;
        if (!this.#closed) this.#readline.prompt(true);
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    }
  }

  #take(line: string): void {
    if (this.#lines.push(line) === MAX_LINES_AHEAD) this.#readline.pause();
    this.#wake?.();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#eraseLine(); // the prompt asks no more
    this.#wake?.();
  }

  #above(line: string): void {
    if (this.#closed) return void this.#output.write(`${line}\n`);
    const rows = this.#eraseLine();
    // Readline goes up by the rows it remembers before it draws the line again.
    this.#output.write(`${line}\n${"\n".repeat(rows)}`);
    this.#readline.prompt(true);
  }

  /** Erases what is being typed from the screen; answers how many rows above the cursor it went. */
  #eraseLine(): number {
    const { rows } = this.#readline.getCursorPos();
    this.#output.moveCursor(0, -rows);
    this.#output.cursorTo(0);
    this.#output.clearScreenDown();
    return rows;
  }
}

function plainPrompt(interrupt: () => void): Prompt {
  onInterrupt(interrupt);
  const note = (line: string) => console.error(line);
  const codec = lines({ onTooLong: "discard", onDiscard: ({ message }) => note(message) });
  const input = frames(Deno.stdin.readable, text(codec, { fatal: false }));
  return {
    isTerminal: false,
    setPrompt() {},
    show: (line) => printData(`${line}\n`),
    note,
    close() {},
    [Symbol.asyncIterator]: () => input[Symbol.asyncIterator](),
  };
}
