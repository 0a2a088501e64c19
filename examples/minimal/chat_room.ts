/**
 * A chat room: the first line of a client is its name, every other line goes to all others. Each client
 * has a queue of its own, so that one that does not read cannot stall the room.
 *
 *     deno run -A examples/minimal/chat_room.ts [--port 9999]
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Framed, lines, serveTcp, text } from "@tincan/net";

const { port } = parseArgs(Deno.args, { default: { port: 9999 } });
const room = new Set<Framed<string>>();

function tell(line: string, from: Framed<string>): void {
  for (const member of room) if (member !== from) member.send(line).catch(() => {});
}

serveTcp({ port: Number(port), limits: { maxWriteQueue: 65_536 } }, async (conn) => {
  const messages = conn.framed(text(lines()));
  const name = await messages.receive();
  room.add(messages);
  tell(`${name} joined`, messages);
  try {
    for await (const message of messages) tell(`<${name}> ${message}`, messages);
  } finally {
    room.delete(messages);
    tell(`${name} left`, messages);
  }
});
