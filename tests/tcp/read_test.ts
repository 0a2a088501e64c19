import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { equals } from "@std/bytes";
import { formatAddr, isNetError, LimitError, type TcpConnection } from "../../mod.ts";
import { nextTurn } from "../_util/events.ts";
import { between, pattern, random } from "../_util/random.ts";
import { connectedPair, readAll, text, tls, utf8 } from "../_util/transports.ts";

const limit = { timeout: 20_000 };

/** Writes `data` in pieces of random size, now and then with a turn of the event loop between. */
async function dribble(conn: TcpConnection, data: Uint8Array, seed: number): Promise<void> {
  const chance = random(seed);
  for (let at = 0; at < data.length;) {
    const end = Math.min(data.length, at + between(chance, 1, 700));
    await conn.write(data.subarray(at, end));
    at = end;
    if (chance() < 0.5) await nextTurn();
  }
  await conn.closeWrite();
}

/** One read of a random kind, with or without a random way to stop waiting; `null` at the end. */
async function readSomehow(
  conn: TcpConnection,
  chance: () => number,
): Promise<Uint8Array | null> {
  const controller = new AbortController();
  const options = chance() < 0.4
    ? { timeout: between(chance, 0, 3) }
    : chance() < 0.5
    ? { signal: controller.signal }
    : undefined;
  if (options?.signal) queueMicrotask(() => chance() < 0.7 && controller.abort());
  const timer = setTimeout(() => controller.abort(), 2);
  try {
    switch (between(chance, 0, 4)) {
      case 0:
      case 1: {
        const buffer = new Uint8Array(between(chance, 1, 600));
        const n = await conn.read(buffer, options);
        return n === null ? null : buffer.subarray(0, n);
      }
      case 2:
        return await conn.readExactly(between(chance, 1, 900), options);
      case 3:
        return await conn.readUntil(new Uint8Array([between(chance, 0, 255)]), options);
      default: {
        const { value, done } = await conn[Symbol.asyncIterator]().next();
        return done ? null : value;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  Deno.test(`no read loses a byte, whatever ends it (seed ${seed})`, limit, async () => {
    await using pair = await connectedPair(seed % 3 === 0 ? tls : undefined);
    const sent = pattern(120_000, seed);
    const sending = dribble(pair.client, sent, seed);
    const chance = random(seed + 1000);
    const received: Uint8Array[] = [];
    let interrupted = 0;
    while (true) {
      try {
        const chunk = await readSomehow(pair.server, chance);
        if (chunk === null) break;
        received.push(chunk.slice());
      } catch (error) {
        if (error instanceof Deno.errors.UnexpectedEof) { // the end is near: take what is left
          received.push(await readAll(pair.server));
          break;
        }
        assert(
          error instanceof Deno.errors.TimedOut ||
            (error instanceof DOMException && error.name === "AbortError"),
          String(error),
        );
        interrupted++;
      }
    }
    await sending;
    const joined = new Uint8Array(received.reduce((size, { length }) => size + length, 0));
    received.reduce((at, chunk) => (joined.set(chunk, at), at + chunk.length), 0);
    assert(equals(joined, sent), `${joined.length} of ${sent.length} bytes, or in another order`);
    assert(interrupted > 20, `only ${interrupted} reads were interrupted`);
  });
}

Deno.test("chunks that were handed out are never overwritten", limit, async () => {
  await using pair = await connectedPair();
  const sent = pattern(300_000);
  const sending = dribble(pair.client, sent, 3);
  let at = 0;
  const kept: [number, Uint8Array][] = [];
  for await (const chunk of pair.server) {
    kept.push([at, chunk]);
    at += chunk.length;
  }
  await sending;
  assertEquals(at, sent.length);
  for (const [start, chunk] of kept) {
    assert(equals(chunk, sent.subarray(start, start + chunk.length)), `the chunk at ${start}`);
  }
});

Deno.test("a byte that has arrived is there for a read that does not wait", limit, async () => {
  await using pair = await connectedPair();
  const buffer = new Uint8Array(2);
  await pair.client.write("ab");
  assertEquals(await pair.server.read(buffer.subarray(0, 1)), 1);
  await assertRejects(async () => {
    await pair.server.read(buffer, { timeout: 0 });
    await pair.server.read(buffer, { timeout: 0 });
  }, Deno.errors.TimedOut);
  await pair.client.write("c");
  assertEquals(text(await pair.server.readExactly(1)), "c");
});

Deno.test(
  "a chunk that is kept keeps at most four times its size alive, or 4 KiB",
  limit,
  async () => {
    await using pair = await connectedPair();
    const large = pattern(600_000);
    const sending = pair.client.write(large);
    assert(equals(await pair.server.readExactly(large.length) as Uint8Array, large)); // it has grown
    await sending;
    const chunks = pair.server[Symbol.asyncIterator]();
    for (const size of [1, 100, 4_000, 20_000, 1]) {
      await pair.client.write(pattern(size));
      for (let received = 0; received < size;) {
        const { value } = await chunks.next();
        assert(
          value.buffer.byteLength <= Math.max(4 * value.length, 4_096),
          `${value.length} bytes`,
        );
        received += value.length;
      }
      await pair.client.write(`${"x".repeat(size)}\nrest`);
      const line = await pair.server.readUntil("\n", { maxLength: size });
      assert(
        line !== null && line.buffer.byteLength <= Math.max(4 * line.length, 4_096),
        `${size}`,
      );
      await pair.server.readExactly(4);
    }
  },
);

Deno.test("a time-out says how long it was and who was waited for", limit, async () => {
  await using pair = await connectedPair();
  const error = await assertRejects(
    () => pair.client.readLine({ timeout: 7 }),
    Deno.errors.TimedOut,
  );
  assert(isNetError(error));
  assertEquals(
    error.message,
    `Cannot read from ${formatAddr(pair.client.remoteAddr)}: nothing arrived within 7 ms`,
  );
  assertEquals([error.operation, error.transport, error.code], ["read", "tcp", "ETIMEDOUT"]);
  assertEquals(error.localAddr, pair.client.localAddr);
  assertEquals(error.remoteAddr, pair.client.remoteAddr);
});

Deno.test("a signal that has aborted already ends the read at once", limit, async () => {
  await using pair = await connectedPair();
  const reason = new Error("too late");
  const signal = AbortSignal.abort(reason);
  for (
    const read of [
      () => pair.server.read(new Uint8Array(1), { signal }),
      () => pair.server.readLine({ signal }),
      () => pair.server.readExactly(1, { signal }),
    ]
  ) {
    assertStrictEquals(await assertRejects(read), reason);
  }
  await pair.client.write("x\n");
  assertEquals(await pair.server.readLine(), "x");
});

Deno.test("an aborted signal ends a loop whose bytes have all arrived", limit, async () => {
  await using pair = await connectedPair();
  const controller = new AbortController();
  const { signal } = controller;
  await pair.client.write("one\ntwo\nthree\n");
  assertEquals(await pair.server.readLine({ signal }), "one");
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(pair.server.stats().bytesBuffered, 10);
  for (
    const read of [
      () => pair.server.readLine({ signal }),
      () => pair.server.readUntil("\n", { signal }),
      () => pair.server.readExactly(1, { signal }),
      () => pair.server.readExactly(0, { signal }),
      () => pair.server.read(new Uint8Array(1), { signal }),
      () => pair.server.read(new Uint8Array(0), { signal }),
    ]
  ) {
    assertStrictEquals(await assertRejects(read), reason);
  }
  assertEquals(await pair.server.readLine(), "two");
  assertEquals(await pair.server.readLine(), "three");
});

Deno.test("read takes what is there, and nothing for an empty buffer", limit, async () => {
  await using pair = await connectedPair();
  assertEquals(await pair.server.read(new Uint8Array(0)), 0);
  await pair.client.write("abcdef");
  const buffer = new Uint8Array(4);
  assertEquals(await pair.server.read(buffer), 4);
  assertEquals(text(buffer), "abcd");
  assertEquals(await pair.server.read(new Uint8Array(0)), 0);
  assertEquals(await pair.server.read(buffer), 2);
  assertEquals(text(buffer.subarray(0, 2)), "ef");
  await pair.client.closeWrite();
  assertEquals(await pair.server.read(new Uint8Array(0)), 0);
  assertEquals(await pair.server.read(buffer), null);
});

Deno.test("read refuses what is no buffer, and nothing else is harmed", limit, async () => {
  await using pair = await connectedPair();
  const bytes = new ArrayBuffer(4);
  for (const buffer of [7, null, undefined, bytes, new DataView(bytes), new Uint16Array(bytes)]) {
    await assertRejects(
      () => pair.server.read(buffer as unknown as Uint8Array),
      TypeError,
      "Cannot read into buffer",
    );
  }
  await pair.client.write("fine");
  assertEquals(text(await pair.server.readExactly(4)), "fine");
});

Deno.test("readExactly gathers what comes in pieces", limit, async () => {
  await using pair = await connectedPair();
  const sent = pattern(100_000);
  const sending = dribble(pair.client, sent, 9);
  assertEquals(await pair.server.readExactly(0), new Uint8Array(0));
  assertEquals(await pair.server.readExactly(1), sent.slice(0, 1));
  assert(equals(await pair.server.readExactly(90_000) as Uint8Array, sent.subarray(1, 90_001)));
  assert(equals(await pair.server.readExactly(9_999) as Uint8Array, sent.subarray(90_001)));
  assertEquals(await pair.server.readExactly(1), null);
  await sending;
});

Deno.test("readExactly says where the stream ended, and leaves the rest", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("abc");
  await pair.client.closeWrite();
  const error = await assertRejects(
    () => pair.server.readExactly(10),
    Deno.errors.UnexpectedEof,
    "the stream ended after 3 bytes, before 10 bytes",
  );
  assert(isNetError(error));
  assertEquals(error.operation, "read");
  assertEquals(text(await readAll(pair.server)), "abc");
});

Deno.test("readExactly refuses what is not a length", limit, async () => {
  await using pair = await connectedPair();
  for (const length of [-1, 1.5, NaN, Infinity]) {
    await assertRejects(() => pair.server.readExactly(length), RangeError, `${length} bytes`);
  }
});

Deno.test("an announced length costs no memory before its bytes come", limit, async () => {
  await using pair = await connectedPair();
  const before = Deno.memoryUsage().external;
  const reading = assertRejects(
    () => pair.server.readExactly(2 ** 40),
    Deno.errors.UnexpectedEof,
  );
  await pair.client.write("only this");
  await pair.client.closeWrite();
  await reading;
  assert(Deno.memoryUsage().external - before < 1024 * 1024);
});

Deno.test("readUntil finds a delimiter at every split", limit, async () => {
  const message = "one--two-\r-three\r--\r-end\r--";
  const delimiter = "\r--";
  await using pair = await connectedPair();
  for (let split = 0; split <= message.length; split++) {
    const reading = pair.server.readUntil(delimiter);
    await pair.client.write(message.slice(0, split));
    await nextTurn();
    await pair.client.write(message.slice(split));
    assertEquals(text(await reading), "one--two-\r-three\r--");
    assertEquals(text(await pair.server.readUntil(utf8(delimiter))), "\r-end\r--");
  }
  assertEquals(pair.server.stats().bytesBuffered, 0);
});

Deno.test("readUntil finds a delimiter that comes byte by byte", limit, async () => {
  await using pair = await connectedPair();
  const reading = pair.server.readUntil("aab");
  for (const byte of utf8("aaaaab")) await pair.client.write(new Uint8Array([byte]));
  assertEquals(text(await reading), "aaaaab");
});

Deno.test(
  "readUntil looks at each byte about once, however many reads it takes",
  limit,
  async () => {
    await using pair = await connectedPair();
    const reading = pair.server.readUntil("\n");
    const { indexOf } = Uint8Array.prototype;
    let searched = 0;
    Uint8Array.prototype.indexOf = function (byte, from = 0) {
      const found = indexOf.call(this, byte, from);
      searched += (found < 0 ? this.length : found) - from;
      return found;
    };
    try {
      const piece = new Uint8Array(200).fill(0x61);
      for (let sent = 200; sent <= 60_000; sent += 200) {
        await pair.client.write(piece);
        while (pair.server.stats().bytesReceived < sent) await nextTurn();
      }
      await pair.client.write("\n");
      assertEquals((await reading)?.length, 60_001);
    } finally {
      Uint8Array.prototype.indexOf = indexOf;
    }
    assert(searched >= 60_000 && searched < 4 * 60_000, `${searched} bytes were searched`);
  },
);

Deno.test("readUntil with an end inside, an empty delimiter, a limit", limit, async () => {
  await using pair = await connectedPair();
  await assertRejects(() => pair.server.readUntil(""), TypeError, "empty delimiter");
  await pair.client.write("123456;78");
  const error = await assertRejects(
    () => pair.server.readUntil(";", { maxLength: 5 }),
    LimitError,
    "longer than the limit of 5 bytes",
  );
  assertEquals([error.code, error.limit, error.operation], ["read_buffer", 5, "read"]);
  assertEquals(text(await pair.server.readUntil(";", { maxLength: 6 })), "123456;");
  await pair.client.closeWrite();
  await assertRejects(
    () => pair.server.readUntil(";"),
    Deno.errors.UnexpectedEof,
    "the stream ended after 2 bytes, before the delimiter",
  );
  assertEquals(text(await readAll(pair.server)), "78");
});

Deno.test("a line may have maxLength bytes and not one more", limit, async () => {
  await using pair = await connectedPair();
  const options = { maxLength: 4 };
  await pair.client.write("abcd\nabcd\r\nabcde\n");
  assertEquals(await pair.server.readLine(options), "abcd");
  assertEquals(await pair.server.readLine(options), "abcd");
  const error = await assertRejects(() => pair.server.readLine(options), LimitError);
  assertEquals([error.code, error.limit], ["read_buffer", 4]);
  assertEquals(await pair.server.readLine(), "abcde");
  await pair.client.write("abcde\r\n");
  await assertRejects(() => pair.server.readLine(options), LimitError);
  assertEquals(await pair.server.readLine({ maxLength: 5 }), "abcde");
});

Deno.test("a line that never ends meets the limit without its end", limit, async () => {
  await using pair = await connectedPair();
  const error = assertRejects(() => pair.server.readLine(), LimitError);
  await pair.client.write(new Uint8Array(70_000).fill(0x61));
  assertEquals((await error).limit, 65_536);
  assertEquals((await pair.server.readExactly(70_000))?.length, 70_000);
});

Deno.test("the last line needs no newline, but keeps to the limit", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("abcd");
  await pair.client.closeWrite();
  await assertRejects(() => pair.server.readLine({ maxLength: 3 }), LimitError);
  assertEquals(await pair.server.readLine({ maxLength: 4 }), "abcd");
  assertEquals(await pair.server.readLine(), null);
});

Deno.test("lines end with LF or CR LF, and a lone CR belongs to the line", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("lf\ncrlf\r\n\n\r\na\rb\n\r\r\nlast\r");
  await pair.client.closeWrite();
  const lines: string[] = [];
  for (
    let line = await pair.server.readLine();
    line !== null;
    line = await pair.server.readLine()
  ) lines.push(line);
  assertEquals(lines, ["lf", "crlf", "", "", "a\rb", "\r", "last\r"]);
});

Deno.test("CR LF and UTF-8 may be split anywhere", limit, async () => {
  const bytes = utf8("grüße 🥫🥫\r\n");
  await using pair = await connectedPair();
  for (let split = 0; split <= bytes.length; split++) {
    const reading = pair.server.readLine();
    await pair.client.write(bytes.subarray(0, split));
    await nextTurn();
    await pair.client.write(bytes.subarray(split));
    assertEquals(await reading, "grüße 🥫🥫");
  }
});

Deno.test("bytes that are not UTF-8 become U+FFFD, a byte order mark stays", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write(new Uint8Array([0x61, 0xff, 0x62, 0x0a, 0xef, 0xbb, 0xbf, 0x63, 0x0a]));
  assertEquals(await pair.server.readLine(), "a\ufffdb");
  assertEquals(await pair.server.readLine(), "\ufeffc");
});

Deno.test("all kinds of reading take turns on one stream", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("line\nexact|until;chunk");
  assertEquals(await pair.server.readLine(), "line");
  assertEquals(text(await pair.server.readExactly(6)), "exact|");
  assertEquals(text(await pair.server.readUntil(";")), "until;");
  const one = new Uint8Array(2);
  assertEquals(await pair.server.read(one), 2);
  for await (const chunk of pair.server) {
    assertEquals(text(chunk), "unk");
    break;
  }
  await pair.client.closeWrite();
  assertEquals(text(await readAll(pair.server)), "");
});

Deno.test("readable is a byte stream: it fills the caller's buffer", limit, async () => {
  await using pair = await connectedPair();
  await pair.client.write("abcdef");
  const reader = pair.server.readable.getReader({ mode: "byob" });
  let received = "";
  let buffer = new Uint8Array(4);
  while (received.length < 6) {
    const { value } = await reader.read(buffer);
    assertInstanceOf(value, Uint8Array);
    assert(value.length > 0 && value.length <= 4);
    received += text(value);
    buffer = new Uint8Array(value.buffer);
  }
  assertEquals(received, "abcdef");
  await pair.client.closeWrite();
  assertEquals((await reader.read(new Uint8Array(4))).done, true);
  await pair.server.write("still open");
  await pair.server.closeWrite();
  assertEquals(text(await readAll(pair.client)), "still open");
});

Deno.test("readable hands out chunks that can be transferred", limit, async () => {
  await using pair = await connectedPair();
  const reader = pair.server.readable.getReader();
  const sent = pattern(50_000);
  const sending = dribble(pair.client, sent, 5);
  const received: Uint8Array[] = [];
  for (let r = await reader.read(); !r.done; r = await reader.read()) {
    received.push(structuredClone(r.value, { transfer: [r.value.buffer] }));
  }
  await sending;
  let at = 0;
  for (const chunk of received) {
    assert(equals(chunk, sent.subarray(at, at + chunk.length)), `the chunk at ${at}`);
    at += chunk.length;
  }
  assertEquals(at, sent.length);
});

for (const mode of ["default", "byob"] as const) {
  Deno.test(`cancelling a ${mode} reader that waits loses nothing`, limit, async () => {
    await using pair = await connectedPair();
    if (mode === "byob") {
      const reader = pair.server.readable.getReader({ mode });
      const reading = reader.read(new Uint8Array(16));
      await nextTurn(); // the stream has begun to read
      await reader.cancel();
      assertEquals((await reading).done, true);
    } else {
      const reader = pair.server.readable.getReader();
      const reading = reader.read();
      await nextTurn();
      await reader.cancel();
      assertEquals((await reading).done, true);
    }
    const line = pair.server.readLine();
    await pair.client.write("for the next reader\n");
    assertEquals(await line, "for the next reader");
  });
}

Deno.test("a reader that lets go of readable leaves the bytes to the next", limit, async () => {
  await using pair = await connectedPair();
  const first = pair.server.readable.getReader();
  const reading = assertRejects(() => first.read(), TypeError);
  await nextTurn(); // the stream has begun to read
  first.releaseLock();
  await reading;
  await pair.client.write("kept");
  await pair.client.closeWrite();
  const second = pair.server.readable.getReader();
  assertEquals(text((await second.read()).value ?? null), "kept");
  assertEquals((await second.read()).done, true);
});

Deno.test("options that make no sense are refused", limit, async () => {
  await using pair = await connectedPair();
  for (const timeout of [-1, NaN]) {
    const buffer = new Uint8Array(1);
    await assertRejects(() => pair.server.read(buffer, { timeout }), RangeError, "timeout");
    await assertRejects(() => pair.server.readLine({ timeout }), RangeError, "timeout");
  }
  await assertRejects(() => pair.server.readLine({ maxLength: -1 }), RangeError, "maxLength");
  await assertRejects(() => pair.server.readUntil("x", { maxLength: 0.5 }), RangeError);
});

Deno.test("close while a read waits for its turn or its bytes ends the read", limit, async () => {
  for (const options of [undefined, {}, { timeout: 10_000 }]) {
    await using pair = await connectedPair();
    const reading = assertRejects(
      () => pair.server.read(new Uint8Array(4), options),
      Error,
      "closed",
    );
    const closed = pair.server.close();
    await reading;
    await pair.client.close();
    await closed;
  }
});
