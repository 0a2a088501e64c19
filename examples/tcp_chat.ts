/**
 * A chat room over TCP. A line of text is a message, so nc and telnet can join; the first line they
 * send is their name.
 *
 *     deno run -A examples/tcp_chat.ts                      # serves on 127.0.0.1:9999
 *     nc 127.0.0.1 9999                                     # join with nc
 *     deno run -A examples/tcp_chat.ts join --name Ada      # or with this client
 *
 * Needs --allow-net only.
 */
import { FrameError } from "../mod.ts";
import {
  type ChatClient,
  ChatRoom,
  type ChatRoomLimits,
  joinChat,
  serveChat,
} from "../apps/chat/mod.ts";
import { openPrompt, type Prompt } from "../terminal/prompt.ts";
import {
  type Program,
  type ProgramArguments,
  readCount,
  runProgram,
  serveUntilInterrupted,
  UsageError,
} from "../terminal/program.ts";

const HELP = `A chat room over TCP: what one says all others see. A line of text is a message.

Usage: tcp_chat.ts [serve] [options]
       tcp_chat.ts join --name NAME [options]

Options of both:
  --hostname NAME    address to listen on or to connect to (default 127.0.0.1)
  --port NUMBER      port; 0 lets the system choose when serving (default 9999)
  --help             show this text

Options of serve:
  --history NUMBER   lines that newcomers are shown (default 50)
  --members NUMBER   people in the room at one time (default 1000)
  --rate NUMBER      lines a second that one person may say for long (default 10)
  --per-address NUMBER
                     people from one address; higher behind a proxy (default 50)

Options of join:
  --name NAME        your name in the room; one word

In the room:
  /who   /me TEXT   /msg NAME TEXT   /quit [TEXT]   /help
  Ctrl-D leaves. On a terminal the line you type stays together while messages arrive above it;
  otherwise lines are read from stdin, and what the room says goes to stdout.

Examples:
  tcp_chat.ts serve --hostname 0.0.0.0 --port 7000
  tcp_chat.ts join --port 7000 --name Ada
  nc 127.0.0.1 7000
`;

/** How long the room's last words may take after somebody at a terminal left, in milliseconds. */
const GOODBYE_TIME = 2_000;

/** The same where a program has written lines: the room reads them no faster than its rate, 10 a second. */
const GOODBYE_TIME_OF_PROGRAMS = 600_000;

/** What it is called, understands and does. */
export const program: Program = {
  name: "tcp_chat.ts",
  help: HELP,
  commands: ["serve", "join"],
  string: ["hostname", "port", "name", "history", "members", "rate", "per-address"],
  main: (args) => args.command === "join" ? join(args) : serve(args),
};

async function serve(args: ProgramArguments): Promise<void> {
  const limits: ChatRoomLimits = {};
  const history = readCount(args, "history");
  const members = readCount(args, "members", 1);
  const rate = readCount(args, "rate", 1);
  const perAddress = readCount(args, "per-address", 1);
  if (history !== undefined) limits.maxHistory = history;
  if (members !== undefined) limits.maxMembers = members;
  if (rate !== undefined) limits.maxLinesPerSecond = rate;
  if (perAddress !== undefined) limits.maxMembersPerAddress = perAddress;
  const where = args.address(9999);
  await serveUntilInterrupted(() => serveChat({ ...where, room: new ChatRoom({ limits }) }));
}

async function join(args: ProgramArguments): Promise<void> {
  const name = args.text("name");
  if (name === undefined) throw new UsageError("Option --name is needed to join");
  const chat = await joinChat({
    ...args.address(9999, 1),
    name,
  });
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

if (import.meta.main) await runProgram(program);
