/** What the echo programs share, over TCP and over UDP. @module */
import { addressOperands, addressOptions, PORT } from "./address.ts";
import { commands, section, setting, settings, toggle } from "./arguments.ts";
import { foreignPrinter, type ProgramDescription, type Values } from "./program.ts";
import { text } from "./values.ts";

const LINE_END = Uint8Array.of(0x0a);

const fields = {
  ...section("Arguments", {
    command: commands(["serve", "client"], "serve (the default) or client"),
    where: addressOperands(),
  }),
  ...section("Options of both", addressOptions(PORT)),
  ...section("Options of serve", {
    greet: setting("--greet", text("TEXT"), "send TEXT to each new client"),
    reply: setting("--reply", text("TEMPLATE"), "{} stands for the message (default {})"),
    upper: toggle("--upper", "answer in upper case"),
    exit: setting("--exit", text("WORD"), "end the conversation when the message is WORD"),
  }),
  ...section("Options of client", {
    message: settings("--message", text("TEXT"), "send TEXT; may be given several times"),
  }),
};

/** What an echo program takes. */
export type EchoValues = Values<typeof fields>;

/** How an echo program is described, without its name and what it does. */
export const echoProgram: Pick<
  ProgramDescription<typeof fields>,
  "usage" | "fields" | "notes" | "examples"
> = {
  usage: ["[serve] [HOST:PORT] [options]", "client [HOST:PORT] [options]"],
  fields,
  notes: "Without --message the client asks for messages until the input ends.",
  examples: [
    "$0 --greet 'Welcome!' --reply 'Loop_msg: {}!' --exit exit",
    "$0 client --message hello --message exit",
  ],
};

/** The messages of a client: what `--message` says, or else what is asked for until the input ends. */
export function messagesOf({ message }: EchoValues): Iterable<string> | AsyncIterable<string> {
  return message.length > 0 ? message : ask();
}

async function* ask(): AsyncGenerator<string> {
  const { TextLineStream } = await import("@std/streams");
  const prompt = () => {
    if (Deno.stdin.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode("> "));
  };
  const text = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  prompt();
  for await (const line of text.pipeThrough(new TextLineStream())) {
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

/** Ends a client whose conversation the server has ended: the input may still wait for a line. */
export function endWithServer(what: string): never {
  console.error(what);
  Deno.exit(0);
}
