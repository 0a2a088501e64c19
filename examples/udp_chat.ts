/**
 * Talk by name over UDP: a table says who is where, a datagram is a message. Anything that sends and
 * receives bare text can be at the other end.
 *
 *     echo '{ "ada": "127.0.0.1:9001", "bob": "127.0.0.1:9002" }' > contacts.json
 *     deno run -A examples/udp_chat.ts --name ada --contacts contacts.json
 *     deno run -A examples/udp_chat.ts --name bob --contacts contacts.json   # in another terminal
 *
 * Needs --allow-net, and --allow-read for the contacts. The shortest form is examples/minimal/udp_chat.ts.
 */
import { bindUdpChat, parseContacts, type UdpChat } from "../apps/chat/mod.ts";
import { formatAddr } from "../common/address.ts";
import { splitHostPort } from "../terminal/address.ts";
import { section, setting } from "../terminal/arguments.ts";
import { UdpConversation } from "../terminal/conversation.ts";
import { inOneLine } from "../terminal/one_line.ts";
import { defineProgram, runProgram, UsageError } from "../terminal/program.ts";
import { openPrompt, type Prompt } from "../terminal/prompt.ts";
import { file, port, text } from "../terminal/values.ts";

/** What it is called, takes and does. */
export const program = defineProgram({
  name: "udp_chat.ts",
  summary: "Talk by name over UDP. A datagram is a message of bare text.",
  usage: ["--name NAME --contacts FILE.json [options]"],
  fields: section("Options", {
    name: setting("--name", text("NAME"), "your own name"),
    contacts: setting("--contacts", file(), "a JSON file of names and addresses"),
    hostname: setting("--hostname", text("HOST[:PORT]"), "address to bind (default: see below)"),
    port: setting("--port", port(), "port to bind; 0 is any (default: see below)"),
  }),
  notes:
    `The contacts look like this: { "ada": "127.0.0.1:9001", "bob": "[::1]:9002" }. Unless specified, the
address that they have for you is bound, or else any port of 127.0.0.1.

Type a name to choose a peer, then messages; "quit" goes back to choosing, Ctrl-D leaves.
A message may have at most 1024 bytes. Messages from others go to stdout, as <NAME> TEXT; from
an address that is not in the contacts, as <HOST:PORT, a stranger> TEXT.`,
  examples: [
    "$0 --name ada --contacts friends.json",
    "$0 --name carol --contacts friends.json --hostname 0.0.0.0 --port 9003",
  ],
  async main({ name, contacts: path, ...where }) {
    if (!name?.trim()) throw new UsageError("Option --name is needed");
    if (path === undefined) throw new UsageError("Option --contacts is needed");
    const [hostname, bound] = splitHostPort(where.hostname ?? "") ?? [where.hostname];
    const chat = await bindUdpChat({
      name: name.trim(),
      contacts: parseContacts(await inOneLine(`read ${path}`, () => Deno.readTextFile(path)), path),
      hostname,
      port: where.port ?? (bound === undefined ? undefined : Number(bound)),
    });
    console.error(`listening on ${formatAddr(chat.addr)}`);
    await converse(chat);
  },
});

async function converse(chat: UdpChat): Promise<void> {
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

/** Shows what others say. */
async function listen(chat: UdpChat, prompt: Prompt): Promise<void> {
  for await (const { from, address, lines } of chat) {
    for (const line of lines) await prompt.show(`<${from ?? `${address}, a stranger`}> ${line}`);
  }
}

if (import.meta.main) await runProgram(program);
