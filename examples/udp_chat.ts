/**
 * Talk by name over UDP: a table says who is where, a datagram is a message. Anything that sends and
 * receives bare text can be at the other end.
 *
 *     echo '{ "ada": "127.0.0.1:9001", "bob": "127.0.0.1:9002" }' > contacts.json
 *     deno run -A examples/udp_chat.ts --name ada --contacts contacts.json
 *     deno run -A examples/udp_chat.ts --name bob --contacts contacts.json   # in another terminal
 *
 * Needs --allow-net, and --allow-read for the contacts.
 */
import { bindUdpChat, parseContacts, type UdpChat, UdpConversation } from "../apps/chat/mod.ts";
import { openPrompt, type Prompt } from "../terminal/prompt.ts";
import {
  type Program,
  type ProgramArguments,
  runProgram,
  UsageError,
} from "../terminal/program.ts";

const HELP = `Talk by name over UDP. A datagram is a message of bare text.

Usage: udp_chat.ts --name NAME --contacts FILE.json [options]

Options:
  --name NAME         your own name
  --contacts FILE     a JSON file of names and addresses:
                      { "ada": "127.0.0.1:9001", "bob": "[::1]:9002" }
  --hostname ADDRESS  address to bind (default: the one the contacts have for you, or 127.0.0.1)
  --port NUMBER       port to bind; 0 lets the system choose (default: as above, or 0)
  --help              show this text

Type a name to choose whom to talk to, then messages; "quit" goes back to choosing, Ctrl-D leaves.
A message may have at most 1024 bytes. Messages from others go to stdout, as <NAME> TEXT; from
somebody who is not in the contacts, as <HOST:PORT, a stranger> TEXT.

Examples:
  udp_chat.ts --name ada --contacts friends.json
  udp_chat.ts --name carol --contacts friends.json --hostname 0.0.0.0 --port 9003
`;

/** What it is called, understands and does. */
export const program: Program = {
  name: "udp_chat.ts",
  help: HELP,
  string: ["name", "contacts", "hostname", "port"],
  main: talk,
};

async function talk(args: ProgramArguments): Promise<void> {
  const name = args.text("name")?.trim();
  const file = args.text("contacts");
  if (!name) throw new UsageError("Option --name is needed");
  if (file === undefined) throw new UsageError("Option --contacts is needed");
  if (args.rest.length > 0) throw new UsageError(`Unexpected argument "${args.rest[0]}"`);
  const hostname = args.text("hostname");
  const chat = await bindUdpChat({
    name,
    contacts: parseContacts(await readContacts(file), file),
    ...hostname === undefined ? {} : { hostname },
    ...args.text("port") === undefined ? {} : { port: args.port(0) },
  });
  const { hostname: host, port } = chat.addr;
  console.error(`listening on ${host.includes(":") ? `[${host}]` : host}:${port}`);

  const conversation = new UdpConversation(chat);
  console.error(conversation.choices);
  const prompt = await openPrompt({
    prompt: conversation.prompt,
    interrupt: () => Deno.exit(130),
  });
  await Promise.race([say(chat, conversation, prompt), listen(chat, prompt)]);
  prompt.close();
  await chat.close();
}

/** Sends what is typed, until the input ends. */
async function say(chat: UdpChat, conversation: UdpConversation, prompt: Prompt): Promise<void> {
  for await (const line of prompt) {
    const step = conversation.take(line);
    prompt.setPrompt(conversation.prompt);
    if (step.kind === "note") prompt.note(step.text);
    if (step.kind === "send") {
      await chat.send(step.to, step.text).catch((error) => prompt.note(error.message));
    }
  }
}

async function readContacts(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    const reason = isMissing ? "no such file" : error instanceof Error ? error.message : error;
    throw new Error(`Cannot read ${file}: ${reason}`);
  }
}

/** Shows what others say. */
async function listen(chat: UdpChat, prompt: Prompt): Promise<void> {
  for await (const { from, address, lines } of chat) {
    for (const line of lines) await prompt.show(`<${from ?? `${address}, a stranger`}> ${line}`);
  }
}

if (import.meta.main) await runProgram(program);
