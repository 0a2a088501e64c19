/**
 * Writing to the standard output and to the terminal, for programs.
 *
 * @module
 */
import { escapeControls, escapeLines } from "../common/escape.ts";
import { writeAll, writeAllSync } from "../common/write_all.ts";
import { inOneLine } from "./one_line.ts";

/**
 * Writes data to stdout.
 *
 * @param data Text, or bytes as they are.
 * @param leave What to do when the reader has left (`| head`): unless specified the program ends
 * quietly.
 */
export async function printData(
  data: string | Uint8Array,
  leave: () => void | Promise<void> = () => Deno.exit(0),
): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  try {
    await inOneLine("write the output", () => writeAll(Deno.stdout, bytes));
  } catch (error) {
    if (!(error instanceof Error && error.cause instanceof Deno.errors.BrokenPipe)) throw error;
    await leave();
  }
}

/**
 * Makes a function that writes the bytes of others to stdout: as they are where a program or a file
 * takes them; as text, with everything escaped that a terminal might obey, where a person reads them.
 *
 * @param encoding The encoding of the text, as `TextDecoder` knows it.
 */
export function foreignPrinter(encoding?: string): (data: Uint8Array) => Promise<void> {
  if (!Deno.stdout.isTerminal()) return printData;
  const decoder = new TextDecoder(encoding);
  let held = ""; // a CR at the end: a LF may follow
  return (data) => {
    let text = held + decoder.decode(data, { stream: true });
    held = text.endsWith("\r") ? "\r" : "";
    text = text.slice(0, text.length - held.length);
    return printData(escapeLines(text));
  };
}

/**
 * Writes a line for people to stderr. Control characters in it are escaped, and if it cannot be
 * written (a full disk, a closed pipe), the program continues without it.
 */
export function printNote(line: string): void {
  const bytes = new TextEncoder().encode(`${escapeControls(line)}\n`);
  try {
    writeAllSync(Deno.stderr, bytes);
  } catch {
    // There is no other place to report it.
  }
}

/** A line on the terminal that is written over and over; nothing where stderr is not a terminal. */
export function statusLine(): { show(text: string): void; clear(): void } {
  const isTerminal = Deno.stderr.isTerminal();
  const write = (text: string) => {
    if (isTerminal) Deno.stderr.writeSync(new TextEncoder().encode(text));
  };
  return {
    show: (text) => write(`\r${text.padEnd(60)}\r`),
    clear: () => write("\r".padEnd(61) + "\r"),
  };
}
