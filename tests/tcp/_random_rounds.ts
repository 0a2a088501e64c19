/** Rounds of the random testers of connections. */
import type { TcpConnection } from "../../mod.ts";
import { between } from "../_util/random.ts";
import { connectedPair, type Transport } from "../_util/transports.ts";
import { pause } from "./_random_log.ts";
import { RandomReads } from "./_random_reads.ts";
import { makeStream } from "./_random_stream.ts";
import { endings, RandomWrites, type Seen } from "./_random_writes.ts";

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

/** One side writes in every way there is and ends, the other reads with pauses. */
export async function writeRandomly(transport: Transport, chance: () => number): Promise<void> {
  const maxWriteQueue = [1_024, 20_000, 200_000, 16 * 1024 * 1024][between(chance, 0, 3)] as number;
  const timeouts = chance() < 0.3 ? { write: 0 } : {};
  await using pair = await connectedPair(transport, {
    server: { limits: { maxWriteQueue }, timeouts },
  });
  const { client, server } = pair;
  const ending = endings[between(chance, 0, endings.length - 1)] as (typeof endings)[number];
  const writes = new RandomWrites(server, maxWriteQueue, chance);
  writes.log.add(`maxWriteQueue ${maxWriteQueue}, ${JSON.stringify(timeouts)}, ${ending}`);
  const abortAt = ending === "peer aborts" ? between(chance, 0, 30_000) : Infinity;
  const seeing = readSlowly(client, chance, abortAt);
  await writes.run(between(chance, 1, 60));
  if (ending === "closeWrite" || ending === "close") await writes.writeLast();
  await writes.end(ending);
  if (ending === "peer aborts") client.abort();
  await writes.check(await seeing, ending);
}

/** Reads to the end with pauses now and then, or aborts after so many bytes. */
async function readSlowly(
  conn: TcpConnection,
  chance: () => number,
  abortAt: number,
): Promise<Seen> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(between(chance, 16, 100_000));
  let size = 0;
  let error: unknown;
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      chunks.push(buffer.slice(0, n));
      size += n;
      if (size >= abortAt) conn.abort();
      if (chance() < 0.1) await pause(chance);
    }
    await conn.closeWrite(); // the other side waits for it
  } catch (reason) {
    error = reason;
  }
  const bytes = new Uint8Array(size);
  chunks.reduce((at, chunk) => (bytes.set(chunk, at), at + chunk.length), 0);
  return { bytes, error };
}
