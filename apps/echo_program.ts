/** What the echo programs share, over TCP and over UDP. @module */
import { TextLineStream } from "@std/streams";
import type { EchoOptions } from "./echo.ts";
import type { ProgramArguments } from "./program.ts";

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
