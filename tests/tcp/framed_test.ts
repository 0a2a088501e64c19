import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  ClosedError,
  type Codec,
  connectTcp,
  fixed,
  type Framed,
  FrameError,
  lengthPrefixed,
  LimitError,
  lines,
  netstring,
  serveTcp,
  type TcpConnection,
  type TcpConnectOptions,
  text,
} from "../../mod.ts";
import { nextTurn } from "../_util/events.ts";
import { testWith } from "../_util/peers.ts";
import { portOf } from "../_util/transports.ts";

const pythonTest = testWith("python3");
const socatTest = testWith("socat");

const limit = { timeout: 20_000 };
const textLines = text(lines());

/** Two ends of one connection. The server's end is closed when the pair is. */
async function pair(options: Partial<TcpConnectOptions> = {}): Promise<Pair> {
  const accepted = Promise.withResolvers<TcpConnection>();
  const ended = Promise.withResolvers<void>();
  const server = serveTcp({ port: 0, onListen() {}, onError() {} }, async (conn) => {
    accepted.resolve(conn);
    await ended.promise;
  });
  const near = await connectTcp({ port: portOf(server), ...options });
  const far = await accepted.promise;
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      ended.resolve();
      await Promise.all([near.close(), server.shutdown()]);
    },
  };
}

interface Pair extends AsyncDisposable {
  near: TcpConnection;
  far: TcpConnection;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

Deno.test("framed messages arrive as they were sent, however the bytes are cut", async () => {
  await using ends = await pair();
  const sent = Array.from({ length: 500 }, (_, n) => "x".repeat(n * 7 % 300) + n);
  const writing = (async () => {
    const bytes = new TextEncoder().encode(sent.map((message) => `${message}\n`).join(""));
    for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 5 % 997 + 1) {
      await ends.far.write(bytes.subarray(at, at + size));
    }
    await ends.far.closeWrite();
  })();
  assertEquals(await collect(ends.near.framed(textLines)), sent);
  await writing;
});

Deno.test("framed byte messages stay what they were after later ones arrived", async () => {
  await using ends = await pair();
  const out = ends.far.framed(lengthPrefixed({ size: 2 }));
  const sending = (async () => {
    for (let n = 0; n < 2_000; n++) await out.send(new Uint8Array(n % 97).fill(n));
    await ends.far.closeWrite();
  })();
  const received = await collect(ends.near.framed(lengthPrefixed({ size: 2 })));
  await sending;
  assertEquals(received.length, 2_000);
  for (const [n, message] of received.entries()) {
    assertEquals(message, new Uint8Array(n % 97).fill(n));
  }
});

Deno.test("messages sent in one turn of the event loop leave in one write", async () => {
  const codec = lines();
  await using ends = await pair();
  const messages = ends.near.framed(codec);
  const before = ends.near.stats().bytesSent;
  for (let n = 0; n < 10; n++) await messages.send(new Uint8Array([0x61]));
  assertEquals(ends.near.stats().bytesSent, before); // still the same turn
  await messages.flush();
  // One write of 20 bytes arrives whole: the other side reads what one write sent.
  assertEquals(await ends.far.read(new Uint8Array(100)), 20);
});

Deno.test("receive gives null at the end of the stream between messages, again and again", async () => {
  await using ends = await pair();
  await ends.far.write("one\n");
  await ends.far.closeWrite();
  const messages = ends.near.framed(textLines);
  assertEquals(await messages.receive(), "one");
  assertEquals(await messages.receive(), null);
  assertEquals(await messages.receive(), null);
});

Deno.test("the end of the stream inside a message is a truncated frame", async () => {
  await using ends = await pair();
  await ends.far.write(new Uint8Array([0, 5, 1, 2]));
  await ends.far.closeWrite();
  const messages = ends.near.framed(lengthPrefixed({ size: 2 }));
  const error = await assertRejects(() => messages.receive(), FrameError);
  assertEquals(error.code, "truncated");
});

Deno.test("messages in front of a broken one are delivered, then the error, every time", async () => {
  await using ends = await pair();
  await ends.far.write("1:a,1:b,junk");
  const messages = ends.near.framed(text(netstring()));
  assertEquals(await messages.receive(), "a");
  assertEquals(await messages.receive(), "b");
  for (let n = 0; n < 2; n++) {
    const error = await assertRejects(() => messages.receive(), FrameError);
    assertEquals(error.code, "corrupt");
    assertEquals(error.offset, 8);
  }
});

Deno.test("receive that times out loses nothing, not even half a message", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  await ends.far.write("hel");
  await assertRejects(() => messages.receive({ timeout: 10 }), Deno.errors.TimedOut);
  await assertRejects(() => messages.receive({ timeout: 10 }), Deno.errors.TimedOut);
  await ends.far.write("lo\nwor");
  assertEquals(await messages.receive({ timeout: 10_000 }), "hello");
  const reason = new Error("changed my mind");
  const controller = new AbortController();
  const waiting = messages.receive({ signal: controller.signal });
  controller.abort(reason);
  assertStrictEquals(await waiting.catch((error) => error), reason);
  await ends.far.write("ld\n");
  assertEquals(await messages.receive(), "world");
});

Deno.test("receive looks at its options even when the message is there", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  await ends.far.write("one\ntwo\nthree\n");
  assertEquals(await messages.receive(), "one");
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  assertStrictEquals(await assertRejects(() => messages.receive({ signal })), reason);
  await assertRejects(() => messages.receive({ timeout: -1 }), RangeError, "timeout");
  assertEquals(await messages.receive({ timeout: 0 }), "two");
  assertEquals(await messages.receive(), "three");
});

Deno.test("a message that has begun must end within timeouts.frame", async () => {
  await using ends = await pair({ timeouts: { frame: 30 } });
  const messages = ends.near.framed(textLines);
  await ends.far.write("complete\nbegun");
  assertEquals(await messages.receive(), "complete");
  const error = await assertRejects(() => messages.receive(), Deno.errors.TimedOut);
  assertEquals(error.message.includes("the message begun was not complete within 30 ms"), true);
});

Deno.test("after a frame that was discarded, the next one has its own time", async () => {
  await using ends = await pair({ timeouts: { frame: 1_500 } });
  const codec = text(lines({ maxLength: 4, onTooLong: "discard" }));
  const received = ends.near.framed(codec).receive();
  const pause = () => new Promise((resolve) => setTimeout(resolve, 1_000));
  await ends.far.write("too");
  await pause();
  await ends.far.write(" long\nb");
  await pause(); // longer than a frame may take since the first byte, not since the second frame's
  await ends.far.write("\n");
  assertEquals(await received, "b");
});

Deno.test("a peer that trickles cannot stretch timeouts.frame", async () => {
  await using ends = await pair({ timeouts: { frame: 60 } });
  const messages = ends.near.framed(textLines);
  let over = false;
  const trickle = (async () => {
    while (!over) {
      await ends.far.write("x");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await assertRejects(() => messages.receive(), Deno.errors.TimedOut);
  over = true;
  await trickle;
});

Deno.test("a peer that trickles cannot stretch the time-out of a call", async () => {
  await using ends = await pair({ timeouts: { frame: Infinity } });
  const messages = ends.near.framed(textLines);
  let over = false;
  const trickle = (async () => {
    for (let count = 0; count < 100 && !over; count++) {
      await ends.far.write("x");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (!over) await ends.far.write("\n"); // so that the test ends
  })();
  const error = await assertRejects(() => messages.receive({ timeout: 60 }), Deno.errors.TimedOut);
  assertEquals(error.message.includes("nothing arrived within 60 ms"), true);
  over = true;
  await trickle;
});

Deno.test("two receivers at once get an error that says so; the first gets its message", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  const first = messages.receive();
  await assertRejects(() => messages.receive(), Deno.errors.Busy);
  await assertRejects(() => messages.request("x"), Deno.errors.Busy);
  assertThrows(() => messages.switchTo(lines()), Deno.errors.Busy);
  await assertRejects(() => ends.near.read(new Uint8Array(1)), TypeError, "framed");
  await ends.far.write("for the first\n");
  assertEquals(await first, "for the first");
});

Deno.test("leaving the loop loses nothing", async () => {
  await using ends = await pair();
  await ends.far.write("one\ntwo\nthree\nfour\n");
  await ends.far.closeWrite();
  const messages = ends.near.framed(textLines);
  for await (const message of messages) {
    assertEquals(message, "one");
    break;
  }
  assertEquals(await messages.receive(), "two");
  assertEquals(await collect(messages), ["three", "four"]);
});

Deno.test("batches give what one read completed", async () => {
  await using ends = await pair();
  await ends.far.write("one\ntwo\nthr");
  const messages = ends.near.framed(textLines);
  const batches = messages.batches();
  const first = await batches.next();
  assertEquals(first.value, ["one", "two"]);
  await ends.far.write("ee\n");
  await ends.far.closeWrite();
  assertEquals((await batches.next()).value, ["three"]);
  assertEquals((await batches.next()).done, true);
});

/** Answers each line with the same line in upper case, after the others have arrived. */
async function shout(messages: Framed<string>, atOnce: number): Promise<void> {
  while (true) {
    const batch: string[] = [];
    for (let n = 0; n < atOnce; n++) {
      const message = await messages.receive();
      if (message === null) return;
      batch.push(message);
    }
    for (const message of batch) await messages.send(message.toUpperCase());
  }
}

Deno.test("requests under way at once each get their own answer", async () => {
  await using ends = await pair();
  const shouting = shout(ends.far.framed(textLines), 3);
  const messages = ends.near.framed(textLines);
  const answers = ["a", "b", "c"].map((message) => messages.request(message));
  assertEquals(await Promise.all(answers), ["A", "B", "C"]);
  await ends.near.closeWrite();
  await shouting;
});

Deno.test("the late answer to a request that timed out is not given to the next", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  const far = ends.far.framed(textLines);
  const error = await assertRejects(
    () => messages.request("first", { timeout: 10 }),
    Deno.errors.TimedOut,
  );
  assertEquals("operation" in error && error.operation, "request");
  const second = messages.request("second");
  assertEquals(await far.receive(), "first");
  assertEquals(await far.receive(), "second");
  await far.send("answer to first");
  await far.send("answer to second");
  assertEquals(await second, "answer to second");
  // The same, when the next to wait is a receive.
  await assertRejects(() => messages.request("third", { timeout: 10 }), Deno.errors.TimedOut);
  assertEquals(await far.receive(), "third");
  await far.send("answer to third");
  await far.send("news");
  assertEquals(await messages.receive(), "news");
});

Deno.test(
  "a request that has given up keeps nobody from receiving, or from leaving",
  limit,
  async () => {
    await using ends = await pair();
    const messages = ends.near.framed(textLines);
    const wait = { timeout: 10 };
    await assertRejects(() => messages.request("anybody?", wait), Deno.errors.TimedOut);
    await assertRejects(() => messages.receive(wait), Deno.errors.TimedOut, "nothing arrived");
    await assertRejects(() => messages.request("hello?", wait), Deno.errors.TimedOut);
    await nextTurn();
    messages.release();
  },
);

Deno.test("a request that gives up first leaves the others their answers", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  const far = ends.far.framed(textLines);
  const controller = new AbortController();
  const patient = messages.request("one");
  const hasty = messages.request("two", { signal: controller.signal });
  const last = messages.request("three");
  controller.abort(new Error("enough"));
  await assertRejects(() => hasty, Error, "enough");
  for (const name of ["one", "two", "three"]) {
    assertEquals(await far.receive(), name);
    await far.send(`to ${name}`);
  }
  assertEquals(await patient, "to one");
  assertEquals(await last, "to three");
});

Deno.test("request says that the peer ended without an answer", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  const asking = [messages.request("anybody?"), messages.request("hello?")];
  await ends.far.closeWrite();
  for (const request of asking) {
    await assertRejects(() => request, Deno.errors.UnexpectedEof, "without an answer");
  }
});

Deno.test("a message that cannot be encoded is refused and leaves nothing half-written", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  await messages.send("before");
  await assertRejects(() => messages.send("two\nlines"), FrameError);
  await assertRejects(() => messages.request("two\nlines"), FrameError);
  await messages.send("after");
  await ends.near.closeWrite();
  assertEquals(await collect(ends.far.framed(textLines)), ["before", "after"]);
});

Deno.test("switchTo keeps the bytes that have arrived, and those not sent yet", async () => {
  await using ends = await pair();
  await ends.far.write("HELLO 3\n\x00\x01a\x00\x02bc\x00");
  const messages = ends.near.framed(textLines);
  assertEquals(await messages.receive(), "HELLO 3");
  await messages.send("OK");
  const frames = messages.switchTo(text(lengthPrefixed({ size: 2 })));
  assertEquals(await frames.receive(), "a");
  await frames.send("xy");
  assertEquals(await frames.receive(), "bc");
  await ends.far.write("\x01!");
  assertEquals(await frames.receive(), "!");
  await frames.flush();
  assertEquals(await ends.far.readExactly(7), new TextEncoder().encode("OK\n\x00\x02xy"));
});

Deno.test("switchTo returns another object, and the old one says so", async () => {
  await using ends = await pair();
  await ends.far.write("one\ntwo\nthree\n");
  const old = ends.near.framed(textLines);
  const loop = old[Symbol.asyncIterator]();
  const batches = old.batches();
  assertEquals((await loop.next()).value, "one");
  const next = old.switchTo(textLines);
  const uses: Record<string, () => unknown> = {
    receive: () => old.receive(),
    "a loop": () => loop.next(),
    batches: () => batches.next(),
    send: () => old.send("x"),
    sendAll: () => old.sendAll(["x"]),
    request: () => old.request("x"),
    flush: () => old.flush(),
  };
  for (const [name, use] of Object.entries(uses)) {
    await assertRejects(async () => await use(), TypeError, "after switchTo()", name);
  }
  assertThrows(() => old.switchTo(textLines), TypeError, "after switchTo()");
  assertThrows(() => old.release(), TypeError, "after switchTo()");
  assertThrows(() => ends.near.framed(textLines), TypeError, "switchTo");
  assertEquals(await next.receive(), "two");
  next.release();
  assertEquals(await ends.near.readLine(), "three");
});

Deno.test("a codec that fails to start leaves the messages with the old one", async () => {
  await using ends = await pair();
  await ends.far.write("one\ntwo\n");
  const messages = ends.near.framed(textLines);
  assertEquals(await messages.receive(), "one");
  const broken: Codec<string> = {
    decoder() {
      throw new Error("no decoder today");
    },
    encode: () => new Uint8Array(0),
  };
  assertThrows(() => messages.switchTo(broken), Error, "no decoder today");
  assertEquals(await messages.receive(), "two");
});

Deno.test("release gives what was not received back to the connection", async () => {
  await using ends = await pair();
  await ends.far.write("head\nbody, the first part");
  const messages = ends.near.framed(textLines);
  assertEquals(await messages.receive(), "head");
  await assertRejects(() => messages.receive({ timeout: 5 }), Deno.errors.TimedOut);
  messages.release();
  await assertRejects(() => messages.receive(), TypeError, "release");
  await assertRejects(() => messages.send("x"), TypeError, "release");
  await ends.far.write(" and the second\nmore");
  assertEquals(await ends.near.readLine(), "body, the first part and the second");
  await ends.far.closeWrite();
  const again = ends.near.framed(textLines);
  assertEquals(await again.receive(), "more");
});

Deno.test("a second codec on one connection is refused", async () => {
  await using ends = await pair();
  ends.near.framed(textLines);
  assertThrows(() => ends.near.framed(lines()), TypeError, "switchTo");
});

Deno.test("what was sent goes out before a later write, closeWrite and close", async () => {
  for (const how of ["write", "closeWrite", "close"] as const) {
    await using ends = await pair();
    const messages = ends.near.framed(textLines);
    messages.send("first");
    if (how === "write") await ends.near.write("second\n");
    const closing = how === "close" ? ends.near.close() : ends.near.closeWrite();
    const expected = how === "write" ? ["first", "second"] : ["first"];
    assertEquals(await collect(ends.far.framed(textLines)), expected);
    await ends.far.close();
    await closing;
  }
});

Deno.test("everything sent goes out before the end, also behind a large message", async () => {
  for (const how of ["write", "closeWrite", "close"] as const) {
    await using ends = await pair();
    const codec = text(lengthPrefixed());
    const sent = ["a", "x".repeat(300_000), "b", "y".repeat(100_000), "c"];
    const messages = ends.near.framed(codec);
    await messages.sendAll(sent.slice(0, 3));
    for (const message of sent.slice(3)) messages.send(message);
    if (how === "write") await ends.near.write(codec.encode("plain"));
    const closing = how === "close" ? ends.near.close() : ends.near.closeWrite();
    const expected = how === "write" ? [...sent, "plain"] : sent;
    assertEquals(await collect(ends.far.framed(codec)), expected);
    await ends.far.close();
    await closing;
  }
});

Deno.test("a peer that does not read makes send wait, and its reading lets it go on", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(fixed(16_384));
  const message = new Uint8Array(16_384).fill(7);
  let sent = 0;
  const total = 2_000; // 32 MB: more than the system's buffers take
  const sending = (async () => {
    for (; sent < total; sent++) await messages.send(message);
    await ends.near.closeWrite();
  })();
  const first = await ends.far.readExactly(16_384);
  assertEquals(first, message);
  assertEquals(sent < total, true);
  let bytes = 16_384;
  for await (const chunk of ends.far) bytes += chunk.length;
  await sending;
  assertEquals(bytes, total * message.length);
});

Deno.test("without awaiting, what waits is bounded", async () => {
  await using ends = await pair({ limits: { maxWriteQueue: 100_000 } });
  const messages = ends.near.framed(fixed(10_000));
  const message = new Uint8Array(10_000);
  const failures: unknown[] = [];
  const sends: Promise<void>[] = [];
  for (let n = 0; n < 5_000; n++) {
    sends.push(messages.send(message).catch((error) => void failures.push(error)));
  }
  let received = 0;
  const reading = (async () => {
    for await (const chunk of ends.far) received += chunk.length;
  })();
  await Promise.all(sends);
  assertInstanceOf(failures[0], LimitError);
  assertEquals(failures[0].code, "write_queue");
  await ends.near.closeWrite();
  await reading;
  assertEquals(received, (5_000 - failures.length) * 10_000);
});

Deno.test("closing ends a receiver at once; later calls say who closed", async () => {
  await using ends = await pair();
  const messages = ends.near.framed(textLines);
  const waiting = messages.receive();
  const closing = ends.near.close();
  await assertRejects(() => waiting, ClosedError);
  await assertRejects(() => messages.receive(), ClosedError);
  await assertRejects(() => messages.request("x"), ClosedError);
  await assertRejects(() => messages.send("x"), ClosedError);
  await ends.far.close();
  await closing;
});

Deno.test("a custom codec without progress works, also across a switch", async () => {
  // Frames of one byte and its negative; the decoder says nothing about where it is.
  const codec: Codec<number> = {
    decoder() {
      let held: number[] = [];
      return {
        push(chunk, emit) {
          held.push(...chunk);
          while (held.length >= 2) {
            const [value = 0] = held.splice(0, 2);
            if (emit(value) === false) return;
          }
        },
        end() {},
        takeRemaining() {
          const bytes = new Uint8Array(held);
          held = [];
          return bytes;
        },
      };
    },
    encode: (value) => new Uint8Array([value, 255 - value]),
  };
  await using ends = await pair();
  const far = ends.far.framed(codec);
  for (let n = 0; n < 5; n++) await far.send(n);
  await far.flush();
  await ends.far.write("text\n");
  const near = ends.near.framed(codec);
  for (let n = 0; n < 5; n++) assertEquals(await near.receive(), n);
  assertEquals(await near.switchTo(textLines).receive(), "text");
});

const PYTHON_STRUCT_SERVER = `
import socket, struct, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
file = conn.makefile("rwb")
while head := file.read(4):
    body = file.read(struct.unpack(">I", head)[0])
    file.write(struct.pack(">I", len(body)) + body[::-1])
    file.flush()
`;

pythonTest("framed talks to Python's struct on the other side", async () => {
  const child = new Deno.Command("python3", {
    args: ["-c", PYTHON_STRUCT_SERVER],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(new TextDecoder().decode(value));
  const conn = await connectTcp({ port });
  const messages = conn.framed(text(lengthPrefixed({ size: 4 })));
  const words = ["", "abc", "x".repeat(100_000) + "y"];
  for (const word of words) {
    assertEquals(await messages.request(word), [...word].reverse().join(""));
  }
  await conn.close();
  await reader.cancel();
  assertEquals((await child.status).code, 0);
});

socatTest("framed lines talk to socat", async () => {
  const server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    const messages = conn.framed(textLines);
    for await (const message of messages) await messages.send(message.toUpperCase());
  });
  const child = new Deno.Command("socat", {
    args: ["-t", "10", "-", `TCP:127.0.0.1:${portOf(server)}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("one\ntwo\r\nthree"));
  await writer.close();
  const { stdout } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), "ONE\nTWO\nTHREE\n");
  await server.shutdown();
});

Deno.test("reads grow with what arrives, whether messages share memory with them or not", async () => {
  const line = `${"x".repeat(63)}\n`;
  for (const codec of [lines(), text(lines())] as Codec<unknown, never>[]) {
    await using ends = await pair();
    let longest = 0;
    const watched: Codec<unknown, never> = {
      detached: codec.detached,
      decoder() {
        const decoder = codec.decoder();
        const push = decoder.push.bind(decoder);
        decoder.push = (chunk, emit) => {
          longest = Math.max(longest, chunk.length);
          push(chunk, emit);
        };
        return decoder;
      },
      encode: (message) => message,
    };
    const messages = ends.far.framed(watched);
    for (let round = 0; round < 8; round++) {
      await ends.near.write(line.repeat(256));
      for (let count = 0; count < 256; count++) await messages.receive();
    }
    // The first read has room for 256 bytes. If that stayed so, speed would be a tenth.
    assertEquals(longest >= 8 * 1024, true, `the longest read had ${longest} bytes`);
  }
});
