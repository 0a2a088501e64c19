/** What the program of the chat room takes, and how a member talks. @module */
import type { ChatClient } from "../apps/chat/mod.ts";
import { FrameError } from "../errors.ts";
import { addressOperands, addressOptions, PORT } from "./address.ts";
import { commands, section, setting } from "./arguments.ts";
import type { ProgramDescription, Values } from "./program.ts";
import { openPrompt, type Prompt } from "./prompt.ts";
import { tlsClientOptions, tlsServerOptions } from "./tls.ts";
import { count, text } from "./values.ts";

/** Milliseconds to wait for the room's last lines after a person at a terminal has left. */
const GOODBYE_TIME = 2_000;
/** The same where a program has written lines: the room reads them no faster than its rate, 10 a second. */
const GOODBYE_TIME_OF_PROGRAMS = 600_000;

const fields = {
  ...section("Arguments", {
    command: commands(["serve", "join"], "serve (the default) or join"),
    where: addressOperands(),
  }),
  ...section("Options of both", { ...addressOptions(PORT), ...tlsServerOptions }),
  ...section("Options of serve", {
    maxHistory: setting("--history", count(), "lines shown to a new member (default 50)"),
    maxMembers: setting("--members", count(1), "members at one time (default 1000)"),
    maxLinesPerSecond: setting(
      "--rate",
      count(1),
      "lines a second from one member (default 10)",
    ),
    maxMembersPerAddress: setting(
      "--per-address",
      count(1),
      "members from one address (default 50)",
    ),
  }),
  ...section("Options of join", {
    name: setting("--name", text("NAME"), "your name in the room; one word"),
    ...tlsClientOptions,
  }),
};

/** What the program takes. */
export type ChatValues = Values<typeof fields>;

/** How the program is described, without what it does. */
export const chatProgram: Omit<ProgramDescription<typeof fields>, "main"> = {
  name: "tcp_chat.ts",
  summary:
    "A chat room over TCP: every member sees the lines of all others. A line of text is a message.",
  usage: ["[serve] [HOST:PORT] [options]", "join [HOST:PORT] --name NAME [options]"],
  fields,
  notes: `In the room:
  /who   /me TEXT   /msg NAME TEXT   /quit [TEXT]   /help
  Ctrl-D leaves. On a terminal the line you type stays together while messages arrive above it;
  otherwise lines are read from stdin, and the lines of the room go to stdout.`,
  examples: [
    "$0 serve --hostname 0.0.0.0 --port 7000",
    "$0 join 127.0.0.1:7000 --name Ada",
    "nc 127.0.0.1 7000",
  ],
};

/** Talks until the room or the input ends, and ends the process. */
export async function converse(chat: ChatClient): Promise<never> {
  const prompt = await openPrompt({ prompt: `${chat.name}> `, interrupt: () => Deno.exit(130) });
  const saying = say(chat, prompt);
  let last = "";
  try {
    for await (const { line } of chat) {
      await prompt.show(line);
      last = line;
    }
  } finally {
    prompt.close();
  }
  const isOver = await Promise.race([saying, false]) || last.startsWith("*** Goodbye");
  if (!isOver) console.error("the server closed the connection");
  Deno.exit(isOver ? 0 : 1); // the input may still be waiting for a line
}

/** Sends what is typed; `true` when the input has ended and we have left. */
async function say(chat: ChatClient, prompt: Prompt): Promise<boolean> {
  for await (const line of prompt) {
    try {
      await chat.send(line);
    } catch (error) {
      if (!(error instanceof FrameError)) return false; // then reading fails too, and says why
      prompt.note(error.message);
    }
  }
  await chat.leave();
  setTimeout(() => Deno.exit(0), prompt.isTerminal ? GOODBYE_TIME : GOODBYE_TIME_OF_PROGRAMS);
  return true;
}
