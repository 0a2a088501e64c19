/** A side that sends more messages than can be shown takes neither the memory nor the time of others. */
import { assert, assertEquals } from "@std/assert";
import { type Finding, Messages } from "../../apps/relay/_messages.ts";
import {
  framingByName,
  RelayDump,
  type RelayEvent,
  type RelayView,
  serveRelay,
} from "../../apps/relay/mod.ts";
import { type Codec, connectTcp, lines, serveTcp, type TcpServer } from "../../mod.ts";

const MEBIBYTE = 2 ** 20;
const NEWLINES = new Uint8Array(MEBIBYTE).fill(0x0a);
const portOf = (server: TcpServer<Deno.NetAddr>) => server.addr.port;
const base = { id: 1, time: 0, elapsed: 0 } as const;
const addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

Deno.test("messages of a read are found as they are asked for, not all at once", () => {
  let emitted = 0;
  const plain = lines();
  const counting: Codec<Uint8Array> = {
    decoder() {
      const decoder = plain.decoder();
      return {
        get progress() {
          return decoder.progress;
        },
        push: (chunk, emit) =>
          decoder.push(chunk, (frame) => {
            emitted++;
            return emit(frame);
          }),
        end: (emit) => decoder.end(emit),
        takeRemaining: () => decoder.takeRemaining(),
      };
    },
    encode: (message) => plain.encode(message),
  };
  const messages = new Messages(counting);
  let count = 0;
  for (const finding of messages.push(NEWLINES)) {
    assertEquals(finding.type, "message");
    count++;
    assert(emitted - count < 100, `${emitted} messages were decoded when ${count} were asked for`);
  }
  assertEquals(count, MEBIBYTE);
});

Deno.test("numbers, offsets and errors are the same in one read and byte by byte", () => {
  const bytes = new TextEncoder().encode(
    `${"1\n".repeat(100)}x\n${"[]\n".repeat(64)}y\nz\n${"2\n".repeat(63)}{"a":`,
  );
  const all = (reads: Uint8Array[]) => {
    const messages = new Messages(framingByName("json"));
    const findings: Finding[] = reads.flatMap((read) => [...messages.push(read)]);
    return [...findings, ...messages.end()].filter(({ type }) => type !== "partial")
      .map((finding) => finding.type === "message" ? { ...finding, reads: 1 } : finding);
  };
  const whole = all([bytes]);
  assertEquals(all(Array.from(bytes, (byte) => Uint8Array.of(byte))), whole);
  assertEquals(whole.filter(({ type }) => type === "unframed").length, 4);
  assertEquals(whole.filter(({ type }) => type === "message").length, 227);
});

/** A dump that is stuck: its sink has begun to write and does not end before `release`. */
function stuckDump(view: RelayView): { dump: RelayDump; written: number[]; release(): void } {
  const stuck = Promise.withResolvers<void>();
  const written: number[] = [];
  const dump = new RelayDump((bytes) => {
    written.push(bytes.length);
    return stuck.promise;
  }, { view, note() {} });
  return { dump, written, release: stuck.resolve };
}

const side = { ...base, from: "client" } as const;
const ENDLESS: RelayEvent[] = [
  { ...side, type: "message", number: 1, offset: 0, length: 1, reads: 1, value: new Uint8Array(0) },
  { ...side, type: "data", offset: 0, data: Uint8Array.of(1) },
  { ...side, type: "partial", number: 1, length: 1 },
  { ...side, type: "unframed", reason: "no", lost: false },
  { ...side, type: "end" },
  { ...base, type: "open", client: addr, target: addr },
  { ...base, type: "refused", client: addr, reason: "no" },
  { ...base, type: "close", first: "client", fromClient: 1, fromTarget: 1 },
];
for (const view of ["text", "json"] as const) {
  for (const event of ENDLESS) {
    Deno.test(`no more than 4 MiB of ${event.type} events wait for a stuck ${view} dump`, async () => {
      const { dump, written, release } = stuckDump(view);
      dump.observe({ ...side, type: "data", offset: 0, data: new Uint8Array(300_000) });
      let waiting: void | Promise<void> = undefined;
      let count = 0;
      while (waiting === undefined && ++count < 1_000_000) {
        waiting = dump.observe({ ...event, id: count }); // each from another connection
      }
      assert(waiting !== undefined, "it never had to wait");
      release();
      await waiting;
      await dump.flush();
      const total = written.reduce((sum, length) => sum + length, 0);
      assert(total < 4.5 * MEBIBYTE, `${total} bytes waited`);
    });
  }
}

Deno.test("a dump that others have filled still takes a little of each connection, in order", async () => {
  const stuck = Promise.withResolvers<void>();
  let text = "";
  const dump = new RelayDump(async (bytes) => {
    await stuck.promise;
    text += new TextDecoder().decode(bytes);
  }, { view: "text" });
  const data = new Uint8Array(300_000).fill(0x61);
  const say = (id: number, word: string, more: Uint8Array = new Uint8Array(0)) => {
    const bytes = new Uint8Array([...new TextEncoder().encode(word), ...more]);
    return dump.observe({ ...side, id, type: "data", offset: 0, data: bytes });
  };
  const waiting: (void | Promise<void>)[] = [];
  while (waiting.at(-1) === undefined) waiting.push(say(1, "flood", data));
  assertEquals(say(2, "little"), undefined);
  const large = say(2, "large", data);
  assert(large !== undefined);
  const after = say(2, "after");
  assert(after !== undefined, "it overtook what its connection had said before");
  stuck.resolve();
  await Promise.all([...waiting, large, after]);
  await dump.flush();
  const order = ["flood", "little", "large", "after"].map((word) => text.indexOf(word));
  assertEquals(order.toSorted((a, b) => a - b), order);
});

for (const view of ["hex", "text", "quiet", "json"] as const) {
  Deno.test(`others are served while clients send empty lines through a ${view} dump`, async () => {
    await using target = serveTcp({ port: 0, onListen() {}, onError() {} }, async (conn) => {
      for await (const chunk of conn) if (chunk[0] === 0x70) await conn.write(chunk);
    });
    const dump = new RelayDump(() => Promise.resolve(), { view });
    let told = 0;
    await using relay = serveRelay({
      target: { port: portOf(target) },
      framing: framingByName("lines"),
      onListen() {},
      observer(event) {
        told++;
        return dump.observe(event);
      },
    });
    const flooding = await Promise.all(
      Array.from({ length: 10 }, () => connectTcp({ port: portOf(relay) })),
    );
    const floods = flooding.map(async (conn) => {
      try {
        while (true) await conn.write(NEWLINES);
      } catch {
        // It was aborted, below.
      }
    });
    await using conn = await connectTcp({ port: portOf(relay) });
    const rounds: number[] = [];
    for (let round = 0; round < 10; round++) {
      const before = told;
      await conn.write("ping\n");
      assertEquals(await conn.readLine(), "ping");
      rounds.push(told - before);
    }
    for (const one of flooding) one.abort();
    await Promise.all(floods);
    await relay.shutdown({ timeout: 0 });
    await dump.flush();
    const most = Math.max(...rounds);
    assert(most < 250_000, `${most} messages of others were told first: ${rounds}`);
  });
}
