/** Rounds of the random testers of connections. */
import { ClosedError, jsonLines, type TcpConnection } from "../../mod.ts";
import { between } from "../_util/random.ts";
import { connectedPair, type Pair, type Transport } from "../_util/transports.ts";
import { Log, pause, pickLimits } from "./_random_log.ts";
import { attempt } from "./_random_outcome.ts";
import { RandomReads } from "./_random_reads.ts";
import { makeStream } from "./_random_stream.ts";
import { endings, RandomWrites, type Seen } from "./_random_writes.ts";

/** One side sends a stream in pieces, the other reads it in every way there is. */
export async function readRandomly(transport: Transport, chance: () => number): Promise<void> {
  await using pair = await connectedPair(transport);
  const [sender, receiver] = pickSides(pair, chance);
  const stream = makeStream(chance, between(chance, 100, 20_000));
  const sending = dribble(sender, stream, chance).then(() => sender.closeWrite());
  const discarding = discard(sender);
  const settled = Promise.allSettled([sending, discarding]);
  try {
    await new RandomReads(receiver, stream, chance).run();
    await sending;
    await receiver.close();
    await discarding;
  } finally {
    sender.abort();
    await settled;
  }
}

/** The same, but the connection is broken off at some time, by one side or the other. */
export async function readUntilBroken(transport: Transport, chance: () => number): Promise<void> {
  await using pair = await connectedPair(transport);
  const [sender, receiver] = pickSides(pair, chance);
  const stream = makeStream(chance, between(chance, 100, 20_000));
  const cut = between(chance, 0, stream.length);
  // A unix socket has no reset, so there it is always this side that ends it.
  const isOurs = transport.name === "unix" || chance() < 0.5;
  const sending = dribble(sender, stream.subarray(0, cut), chance).then(() => {
    if (isOurs && chance() < 0.5) return receiver.close({ linger: 0 });
    return (isOurs ? receiver : sender).abort();
  });
  const discarding = discard(sender);
  const settled = Promise.allSettled([sending, discarding]);
  try {
    const reads = new RandomReads(receiver, stream, chance);
    await reads.run(isOurs ? isClosed : isReset);
  } finally {
    sender.abort();
    await settled;
  }
}

function pickSides(
  { client, server }: Pair,
  chance: () => number,
): [sender: TcpConnection, receiver: TcpConnection] {
  return chance() < 0.5 ? [client, server] : [server, client];
}

function isClosed(error: unknown): boolean {
  return error instanceof ClosedError;
}

function isReset(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, UnexpectedEof } = Deno.errors;
  return [BrokenPipe, ConnectionReset, UnexpectedEof].some((each) => error instanceof each);
}

/** Sends the stream in pieces cut anywhere, with pauses. */
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
}

/** Takes what requests send, so that the other side never waits for room. */
async function discard(conn: TcpConnection): Promise<void> {
  const buffer = new Uint8Array(4_096);
  while (await conn.read(buffer) !== null);
}

/** One side writes in every way there is and ends, the other reads with pauses. */
export async function writeRandomly(transport: Transport, chance: () => number): Promise<void> {
  const maxWriteQueue = [1_024, 20_000, 200_000, 16 * 1024 * 1024][between(chance, 0, 3)] as number;
  const timeouts = chance() < 0.3 ? { write: Infinity } : {};
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

/** One side asks, many questions at a time and some in vain, the other answers in its own time. */
export async function askRandomly(transport: Transport, chance: () => number): Promise<void> {
  await using pair = await connectedPair(transport);
  const [asker, answerer] = pickSides(pair, chance);
  const log = new Log();
  const answering = answerAll(answerer, chance);
  const questions = asker.framed(jsonLines<{ number: number; padding: string }>());
  const running: Promise<void>[] = [];
  for (let number = between(chance, 1, 60); number > 0; number--) {
    const limits = pickLimits(chance);
    const padding = "x".repeat(between(chance, 0, chance() < 0.1 ? 5_000 : 20));
    const question = { number, padding };
    log.add(`request ${number}${limits.name}`);
    const asked = attempt(questions.request(question, limits.options), limits).then((outcome) => {
      if (outcome === "gave up") return;
      if ("error" in outcome) return log.fail(`request ${number} failed`, outcome.error);
      const answer = outcome.value;
      if (answer.number === number && answer.padding === padding) return;
      log.fail(`request ${number} got the answer ${answer.number}`);
    });
    running.push(asked);
    asked.catch(() => {}); // it is looked at below
    if (chance() < 0.4) await pause(chance);
    if (chance() < 0.2) await asked;
  }
  await Promise.all(running);
  await asker.closeWrite();
  const late = await questions.receive();
  if (late !== null) log.fail(`after all requests there came ${JSON.stringify(late)}`);
  await answering;
}

async function answerAll(conn: TcpConnection, chance: () => number): Promise<void> {
  const messages = conn.framed(jsonLines<unknown>());
  for await (const question of messages) {
    if (chance() < 0.3) await pause(chance);
    await messages.send(question);
  }
  await conn.close();
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
