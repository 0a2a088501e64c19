/** What the echo programs share, over TCP and over UDP. @module */
import { TextLineStream } from "@std/streams";
import type { EchoOptions } from "../apps/echo.ts";
import { foreignPrinter, type ProgramArguments } from "./program.ts";

const LINE_END = Uint8Array.of(0x0a);

/** Reads `--greet`, `--reply`, `--upper` and `--exit`. */
export function readEchoOptions(args: ProgramArguments): EchoOptions {
  const options: EchoOptions = { upper: args.flag("upper") };
  for (const name of ["greet", "reply", "exit"] as const) {
    const value = args.text(name);
    if (value !== undefined) options[name] = value;
  }
  return options;
}

/** The messages of a client: what `--message` says, or else what is asked for until the input ends. */
export function messagesOf(args: ProgramArguments): Iterable<string> | AsyncIterable<string> {
  const messages = args.texts("message");
  return messages.length > 0 ? messages : ask();
}

async function* ask(): AsyncGenerator<string> {
  const prompt = () => {
    if (Deno.stdin.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode("> "));
  };
  const lines = Deno.stdin.readable
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  prompt();
  for await (const line of lines) {
    yield line;
    prompt();
  }
}

/**
 * Makes a function that shows a reply on a line of its own: every byte as it came, or with everything
 * escaped that a terminal might obey where there is one.
 */
export function replyPrinter(): (reply: Uint8Array) => Promise<void> {
  const print = foreignPrinter();
  return async (reply) => {
    await print(reply);
    if (reply.at(-1) !== 0x0a) await print(LINE_END);
  };
}
