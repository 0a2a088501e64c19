/**
 * A chat room over TCP. A line of text is a message, so nc and telnet can join; the first line they
 * send is their name.
 *
 *     deno run -A examples/tcp_chat.ts                      # serves on 127.0.0.1:9999
 *     nc 127.0.0.1 9999                                     # join with nc
 *     deno run -A examples/tcp_chat.ts join --name Ada      # or with this client
 *
 * Needs --allow-net; --allow-read for certificates. The shortest form is examples/minimal/chat_room.ts.
 */
import { ChatRoom, joinChat, serveChat } from "../apps/chat/mod.ts";
import { addressOf, PORT } from "../terminal/address.ts";
import { chatProgram, type ChatValues, converse } from "../terminal/chat_program.ts";
import {
  defineProgram,
  runProgram,
  serveUntilInterrupted,
  UsageError,
} from "../terminal/program.ts";
import { readClientTls, readServerTls } from "../terminal/tls.ts";

async function serve(values: ChatValues): Promise<void> {
  const where = addressOf(values, PORT);
  const tls = await readServerTls(values);
  const { maxHistory, maxMembers, maxLinesPerSecond, maxMembersPerAddress } = values;
  const limits = { maxHistory, maxMembers, maxLinesPerSecond, maxMembersPerAddress };
  const room = new ChatRoom({ limits });
  await serveUntilInterrupted(() => serveChat({ ...where, tls, room }));
}

async function join(values: ChatValues): Promise<void> {
  const { name } = values;
  if (name === undefined) throw new UsageError("Option --name is needed to join");
  await converse(
    await joinChat({ ...addressOf(values, PORT), tls: await readClientTls(values), name }),
  );
}

/** What it is called, takes and does. */
export const program = defineProgram({
  ...chatProgram,
  main: (values) => values.command === "join" ? join(values) : serve(values),
});

if (import.meta.main) await runProgram(program);
