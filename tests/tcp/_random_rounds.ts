/** Rounds of the random testers of connections. */
import type { TcpConnection } from "../../mod.ts";
import { between } from "../_util/random.ts";
import { connectedPair, type Transport } from "../_util/transports.ts";
import { pause } from "./_random_log.ts";
import { RandomReads } from "./_random_reads.ts";
import { makeStream } from "./_random_stream.ts";

/** One side sends a stream in pieces, the other reads it in every way there is. */
export async function readRandomly(transport: Transport, chance: () => number): Promise<void> {
  await using pair = await connectedPair(transport);
  const { client, server } = pair;
  const [sender, receiver] = chance() < 0.5 ? [client, server] : [server, client];
  const stream = makeStream(chance, between(chance, 100, 20_000));
  const sending = dribble(sender, stream, chance);
  const discarding = discard(sender);
  try {
    await new RandomReads(receiver, stream, chance).run();
    await sending;
    await receiver.close();
    await discarding;
  } finally {
    sender.abort();
    await Promise.allSettled([sending, discarding]);
  }
}

/** Sends the stream in pieces cut anywhere, with pauses, and ends. */
async function dribble(
  conn: TcpConnection,
  stream: Uint8Array,
  chance: () => number,
): Promise<void> {
  const large = between(chance, 20, 4_000);
  for (let at = 0; at < stream.length;) {
    const end = at + between(chance, 1, chance() < 0.3 ? large : 30);
    await conn.write(stream.subarray(at, end));
    at = end;
    await pause(chance);
  }
  await conn.closeWrite();
}

/** Takes what requests send, so that the other side never waits for room. */
async function discard(conn: TcpConnection): Promise<void> {
  const buffer = new Uint8Array(4_096);
  while (await conn.read(buffer) !== null);
}
