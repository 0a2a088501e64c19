import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createHash } from "node:crypto";
import {
  FRAMING_NAMES,
  framingByName,
  readCapture,
  RelayDump,
  type RelayEvent,
  type RelayOptions,
  type RelayView,
  serveRelay,
} from "../../apps/relay/mod.ts";
import { type Finding, Messages } from "../../apps/relay/_messages.ts";
import {
  connectTcp,
  FrameError,
  serveTcp,
  type TcpConnection,
  type TcpHandler,
  type TcpServer,
} from "../../mod.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const portOf = (server: TcpServer<Deno.NetAddr>) => server.addr.port;

/** A target, a relay before it and what the relay told; data is copied. */
interface Scene extends AsyncDisposable {
  relay: TcpServer;
  port: number;
  events: RelayEvent[];
  /** Settles when the relay has told of an event of this type, `count` times. */
  told(type: RelayEvent["type"], count?: number): Promise<void>;
}

function scene(handler: TcpHandler, options: Partial<RelayOptions> = {}): Scene {
  const target = serveTcp({ port: 0, onListen() {}, onError() {} }, handler);
  const events: RelayEvent[] = [];
  const waiting = new Set<() => void>();
  const relay = serveRelay({
    target: { port: portOf(target) },
    onListen() {},
    observer(event) {
      events.push(event.type === "data" ? { ...event, data: event.data.slice() } : event);
      for (const look of waiting) look();
    },
    ...options,
  });
  return {
    relay,
    port: portOf(relay),
    events,
    told(type, count = 1) {
      return new Promise((resolve) => {
        const look = () => {
          if (events.filter((event) => event.type === type).length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      await relay.shutdown({ timeout: 0 });
      await target.shutdown({ timeout: 0 });
    },
  };
}

async function echo(conn: TcpConnection): Promise<void> {
  for await (const chunk of conn) await conn.write(chunk);
}

async function readAll(conn: TcpConnection): Promise<string> {
  let all = "";
  for await (const chunk of conn) all += text(chunk);
  return all;
}

/** The events without what differs from run to run. */
function plain(events: RelayEvent[]): unknown[] {
  return events.map(({ time: _, elapsed: __, ...event }) => {
    if (event.type === "data") return { ...event, data: text(event.data) };
    if (event.type === "open") return { type: event.type, id: event.id };
    return event;
  });
}

Deno.test("a relay passes both ways and tells who sent what, and how it ended", async () => {
  await using here = scene(echo);
  const conn = await connectTcp({ port: here.port });
  await conn.write("hello\n");
  assertEquals(await conn.readLine(), "hello");
  await conn.closeWrite();
  assertEquals(await conn.readLine(), null);
  await conn.close();
  await here.told("close");
  assertEquals(plain(here.events), [
    { type: "open", id: 1 },
    { type: "data", id: 1, from: "client", offset: 0, data: "hello\n" },
    { type: "data", id: 1, from: "target", offset: 0, data: "hello\n" },
    { type: "end", id: 1, from: "client" },
    { type: "end", id: 1, from: "target" },
    { type: "close", id: 1, first: "client", reason: undefined, fromClient: 6, fromTarget: 6 },
  ]);
  assert(
    here.events.every((event, index) => event.elapsed >= (here.events[index - 1]?.elapsed ?? 0)),
  );
});

Deno.test("the client can end its side and still hear the answer", async () => {
  await using here = scene(async (conn) => {
    const question = await readAll(conn);
    await conn.write(`you said ${question}`);
  });
  await using conn = await connectTcp({ port: here.port });
  await conn.write("something");
  await conn.closeWrite();
  assertEquals(await readAll(conn), "you said something");
});

Deno.test("the target can end its side and still hear the rest", async () => {
  const heard = Promise.withResolvers<string>();
  await using here = scene(async (conn) => {
    await conn.write("go on");
    await conn.closeWrite();
    heard.resolve(await readAll(conn));
  });
  await using conn = await connectTcp({ port: here.port });
  assertEquals(await readAll(conn), "go on");
  await conn.write("and on ");
  await conn.write("and on");
  await conn.closeWrite();
  assertEquals(await heard.promise, "and on and on");
  await here.told("close");
  const close = here.events.at(-1);
  assertEquals(close?.type === "close" && close.first, "target");
});

Deno.test("100 MB pass unchanged, both ways at once", async () => {
  const SIZE = 100_000_000;
  const block = new Uint8Array(999_983); // a prime: no buffer size divides it
  for (let i = 0; i < block.length; i += 65_536) {
    crypto.getRandomValues(block.subarray(i, i + 65_536));
  }
  const send = async (conn: TcpConnection) => {
    const hash = createHash("sha256");
    for (let sent = 0; sent < SIZE;) {
      const part = block.subarray(0, Math.min(block.length, SIZE - sent));
      hash.update(part);
      await conn.write(part);
      sent += part.length;
    }
    await conn.closeWrite();
    return hash.digest("hex");
  };
  const receive = async (conn: TcpConnection) => {
    const hash = createHash("sha256");
    const buffer = new Uint8Array(256 * 1024);
    let count = 0;
    for (let n; (n = await conn.read(buffer)) !== null; count += n) {
      hash.update(buffer.subarray(0, n));
    }
    return `${count} ${hash.digest("hex")}`;
  };
  const far = Promise.withResolvers<[string, string]>();
  await using here = scene(async (conn) => {
    far.resolve(await Promise.all([send(conn), receive(conn)]));
  }, { observer: undefined as never });
  await using conn = await connectTcp({ port: here.port });
  const [sent, received] = await Promise.all([send(conn), receive(conn)]);
  const [farSent, farReceived] = await far.promise;
  assertEquals(received, `${SIZE} ${farSent}`);
  assertEquals(farReceived, `${SIZE} ${sent}`);
});

Deno.test("a target that is not there is told, the client is closed, and the relay goes on", async () => {
  const gone = Deno.listen({ port: 0 });
  const { port } = gone.addr;
  gone.close();
  await using here = scene(echo, { target: { port } });
  for (const id of [1, 2]) {
    await using conn = await connectTcp({ port: here.port });
    const ended = await readAll(conn).catch((error) => error);
    assert(ended === "" || ended instanceof Deno.errors.ConnectionReset);
    await here.told("refused", id);
  }
  const [event] = here.events;
  assert(event?.type === "refused");
  assertEquals(event.reason, `Cannot connect to 127.0.0.1:${port}: connection refused`);
});

Deno.test("a slow reader slows the sender down, and memory does not grow", async () => {
  const release = Promise.withResolvers<void>();
  await using here = scene(async (conn) => {
    await release.promise;
    await readAll(conn);
  });
  const conn = await connectTcp({ port: here.port });
  const block = new Uint8Array(1024 * 1024);
  let sent = 0;
  let blocked = false;
  // The sockets between take some megabytes; what is beyond must wait.
  while (!blocked && sent < 512) {
    const writing = conn.write(block).catch(() => {});
    const idle = new Promise((resolve) => setTimeout(resolve, 300)).then(() => "idle");
    blocked = await Promise.race([writing, idle]) === "idle";
    sent++;
  }
  assert(blocked, "the sender was never blocked");
  const relayed = [...here.relay.connections][0]?.stats().bytesReceived ?? 0;
  assert(relayed < 64 * 1024 * 1024, `${relayed} bytes were taken from the sender`);
  release.resolve();
  conn.abort();
});

Deno.test("a client that resets ends the target's connection, and only that", async () => {
  const lost = Promise.withResolvers<unknown>();
  let count = 0;
  await using here = scene(async (conn) => {
    if (++count > 1) return await echo(conn);
    const block = new Uint8Array(65_536);
    try {
      while (true) await conn.write(block);
    } catch (error) {
      lost.resolve(error);
    }
  });
  const conn = await Deno.connect({ port: here.port });
  await conn.read(new Uint8Array(10));
  conn.close(); // with bytes unread: the system resets
  assertInstanceOf(await lost.promise, Error);
  await here.told("close");
  const close = here.events.at(-1);
  assert(close?.type === "close");
  assertEquals(close.first, "client");
  assertStringIncludes(close.reason ?? "", "Cannot ");
  await using next = await connectTcp({ port: here.port });
  await next.write("hello\n");
  assertEquals(await next.readLine(), "hello");
});

Deno.test("what a target sent before it went arrives, although the client still sends", async () => {
  await using here = scene(async (conn) => {
    await conn.readExactly(1);
    await conn.write("413 too large\n");
    await conn.close({ linger: 0 });
  });
  await using conn = await connectTcp({ port: here.port });
  const sending = (async () => {
    try {
      while (true) await conn.write(new Uint8Array(65_536));
    } catch {
      // It takes no more.
    }
  })();
  assertEquals(await conn.readLine(), "413 too large");
  await conn.readLine().catch(() => {}); // the end, or the reset
  conn.abort();
  await sending;
});

Deno.test("silence for longer than timeouts.idle ends a connection", async () => {
  await using here = scene(echo, { timeouts: { idle: 50 } });
  await using conn = await connectTcp({ port: here.port });
  assertEquals(await conn.readLine(), null);
  await here.told("close");
  const close = here.events.at(-1);
  assert(close?.type === "close");
  assertEquals(close.first, "relay");
  assertStringIncludes(close.reason ?? "", "within 50 ms".replace("within ", ""));
});

Deno.test("beyond maxConnections, clients wait for their turn", async () => {
  await using here = scene(echo, { limits: { maxConnections: 1 } });
  const first = await connectTcp({ port: here.port });
  await first.write("one\n");
  await first.readLine();
  await using second = await connectTcp({ port: here.port });
  await second.write("two\n");
  await assertRejects(() => second.readLine({ timeout: 50 }), Deno.errors.TimedOut);
  await first.close();
  assertEquals(await second.readLine(), "two");
});

Deno.test("an observer that throws ends its connection, not the relay", async () => {
  let throws = true;
  const said: unknown[] = [];
  const original = console.error;
  console.error = (line: unknown) => said.push(line);
  try {
    await using here = scene(echo, {
      observer(event) {
        if (event.type === "data" && throws) throw new Error("too much for me");
      },
    });
    await using conn = await connectTcp({ port: here.port });
    await conn.write("x");
    await readAll(conn).catch(() => {});
    throws = false;
    await using next = await connectTcp({ port: here.port });
    await next.write("hello\n");
    assertEquals(await next.readLine(), "hello");
  } finally {
    console.error = original;
  }
  assertEquals(said.map((line) => String(line).split("\n")[0]), ["Error: too much for me"]);
});

Deno.test("an observer that takes its time slows the relay down", async () => {
  const gate = Promise.withResolvers<void>();
  let seen = 0;
  await using here = scene(echo, {
    observer(event) {
      if (event.type !== "data" || event.from !== "client") return;
      seen++;
      return gate.promise;
    },
  });
  await using conn = await connectTcp({ port: here.port });
  await conn.write("one\n");
  assertEquals(await conn.readLine(), "one"); // it was on its way already
  await conn.write("two\n");
  await assertRejects(() => conn.readLine({ timeout: 50 }), Deno.errors.TimedOut);
  assertEquals(seen, 1);
  gate.resolve();
  assertEquals(await conn.readLine(), "two");
});

Deno.test("the options of the server and of the client are those of a relay, too", async () => {
  const calls: string[] = [];
  const closed = Promise.withResolvers<void>();
  await using here = scene(echo, {
    hostname: "::1",
    allow: ["::1"],
    onConnect: () => void calls.push("connect"),
    onClose: () => closed.resolve(),
  });
  const conn = await connectTcp({ hostname: "::1", port: here.port });
  await conn.write("hello\n");
  assertEquals(await conn.readLine(), "hello");
  assertEquals(here.relay.stats().bytesReceived, 6);
  await conn.close();
  await closed.promise;
  assertEquals(calls, ["connect"]);
  await using denied = scene(echo, { deny: ["127.0.0.0/8"] });
  await using other = await connectTcp({ port: denied.port });
  await other.readLine().catch(() => {}); // the end, or a reset
  assertEquals(denied.relay.stats().denied, 1);
});

Deno.test("a target can be a unix socket", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/echo.sock`;
  await using _server = serveTcp({ path, onListen() {} }, echo);
  await using here = scene(echo, { target: { path } });
  await using conn = await connectTcp({ port: here.port });
  await conn.write("hello\n");
  assertEquals(await conn.readLine(), "hello");
  const [open] = here.events;
  assert(open?.type === "open");
  assertEquals(open.target, { transport: "unix", path });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serveRelay checks its options and refuses to lead to itself", () => {
  const target = { port: 1 };
  assertThrows(() => serveRelay({ target: { port: 0 } }), RangeError, "port");
  assertThrows(() => serveRelay({ target, firstId: 0 }), RangeError, "firstId");
  assertThrows(
    () => serveRelay({ target, limits: { maxConnections: 0 } }),
    RangeError,
    "limits.maxConnections",
  );
  assertThrows(() => serveRelay({ target, timeouts: { idle: -1 } }), RangeError, "timeouts.idle");
  for (const timeout of [NaN, -1]) {
    assertThrows(
      () => serveRelay({ target: { ...target, timeout } }),
      RangeError,
      "target.timeout",
    );
    assertThrows(
      () => serveRelay({ target: { ...target, timeouts: { write: timeout } } }),
      RangeError,
      "target.timeouts.write",
    );
  }
  const wrong: [object, string][] = [
    [{ maxConnections: 5 }, 'did you mean "limits.maxConnections"?'],
    [{ idle: 5 }, 'did you mean "timeouts.idle"?'],
    [{ observr() {} }, 'did you mean "observer"?'],
    [{ target: { host: "a", port: 1 } }, 'did you mean "target.hostname"?'],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => serveRelay({ target, ...options }), TypeError, message);
  }
  for (const hostname of ["127.0.0.1", "localhost", "::", "0.0.0.0"]) {
    assertThrows(
      () => serveRelay({ port: 7777, hostname, target: { port: 7777, hostname: "localhost" } }),
      TypeError,
      "that is the relay itself",
    );
  }
});

/** What the messages of some reads are found to be. */
function findings(name: string, ...reads: (string | number[])[]): string[] {
  const messages = new Messages(framingByName(name));
  const show = (found: Iterable<Finding>) =>
    [...found].map((one) => {
      if (one.type === "partial") return `…${one.number}:${one.length}`;
      if (one.type === "unframed") return one.lost ? "lost" : "broken";
      const value = one.value instanceof Uint8Array ? text(one.value) : JSON.stringify(one.value);
      return `${one.number}@${one.offset}+${one.length}/${one.reads} ${value}`;
    });
  return [
    ...reads.flatMap((read) =>
      show(messages.push(typeof read === "string" ? utf8(read) : Uint8Array.from(read)))
    ),
    ...show(messages.end()),
  ];
}

Deno.test("messages are found however they stick together or are cut apart", () => {
  assertEquals(findings("lines", "a\nbb\n", "c", "c", "c\nd\ne"), [
    "1@0+2/1 a",
    "2@2+3/1 bb",
    "…3:1",
    "…3:2",
    "3@5+4/3 ccc",
    "4@9+2/1 d",
    "…5:1",
    "5@11+1/1 e",
  ]);
  assertEquals(findings("u16", [0, 1, 65, 0], [2, 66], [67]), [
    "1@0+3/1 A",
    "…2:1",
    "…2:3",
    "2@3+4/3 BC",
  ]);
  assertEquals(findings("fixed:3", "abcdef"), ["1@0+3/1 abc", "2@3+3/1 def"]);
});

Deno.test("broken messages are told, and the rest found if it can be", () => {
  assertEquals(findings("json", '{"a":1}\n{"a":\n{"a":3}\n'), [
    '1@0+8/1 {"a":1}',
    "broken",
    '2@14+8/1 {"a":3}',
  ]);
  assertEquals(findings("netstring", "1:a,x", "1:b,"), ["1@0+4/1 a", "lost"]);
  assertEquals(findings("u32", [255, 255, 255, 255], [0, 0, 0, 1, 65]), ["lost"]);
  assertEquals(findings("u16", [0, 9, 65]), ["…1:3", "lost"]);
});

for (const name of [...FRAMING_NAMES, "fixed:7"]) {
  Deno.test(`framing ${name} never disturbs the relaying, whatever the bytes`, async () => {
    const noise = new Uint8Array(200_000);
    for (let i = 0; i < noise.length; i += 50_000) {
      crypto.getRandomValues(noise.subarray(i, i + 50_000));
    }
    await using here = scene(echo, { framing: framingByName(name) });
    await using conn = await connectTcp({ port: here.port });
    const writing = conn.write(noise).then(() => conn.closeWrite());
    const back = new Uint8Array(noise.length);
    let at = 0;
    for (let n; (n = await conn.read(back.subarray(at))) !== null && n > 0;) at += n;
    await writing;
    assertEquals(back, noise);
    await conn.close();
    await here.told("close");
    const lost = here.events.filter((event) => event.type === "unframed" && event.lost);
    assert(lost.length <= 2, `${lost.length} times lost`);
  });
}

Deno.test("framingByName knows its names and no others", () => {
  for (const name of FRAMING_NAMES) assert(framingByName(name).decoder());
  for (const name of ["", "Lines", "u12", "u8le", "fixed", "fixed:0", "fixed:x", "toString"]) {
    assertThrows(() => framingByName(name), TypeError, `Unknown framing "${name}"`);
  }
});

const TIME = new Date(2030, 0, 1, 12, 34, 56, 7).getTime();

/** A read, as the relay tells it. */
function read(data: Uint8Array, offset = 0): RelayEvent {
  return { type: "data", id: 3, time: TIME, elapsed: 1.5, from: "target", offset, data };
}

/** What a dump writes about some events. */
async function dumped(view: RelayView, ...events: RelayEvent[]): Promise<string> {
  let written = "";
  const dump = new RelayDump((bytes) => {
    written += text(bytes);
    return Promise.resolve();
  }, { view });
  for (const event of events) await dump.observe(event);
  await dump.flush();
  return written;
}

Deno.test("the hexdump is that of hexdump -C, with offsets in the stream", async () => {
  const data = Uint8Array.from({ length: 256 + 5 }, (_, index) => index);
  const rows = (await dumped("hex", read(data, 0x1_fff0))).split("\n").slice(1, -1);
  const expected = [];
  for (let at = 0; at < data.length; at += 16) {
    const row = [...data.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0"));
    const left = hex.slice(0, 8).join(" ");
    const right = hex.slice(8).join(" ");
    const shown = row.map((byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")
      .join("");
    const offset = (0x1_fff0 + at).toString(16).padStart(8, "0");
    expected.push(`  ${offset}  ${`${left}  ${right}`.padEnd(49)} |${shown}|`);
  }
  assertEquals(rows, expected);
  assertStringIncludes(await dumped("hex", read(utf8("x"), 0x2_8000_0010)), "\n  80000010  78 ");
});

Deno.test("no view lets a control character of others through", async () => {
  const hostile = utf8("\x1b]0;owned\x07\x1b[2J\r\x9b31m\u202e\u009b\n\x00");
  const base = { id: 1, time: TIME, elapsed: 0, from: "client" } as const;
  for (const view of ["hex", "text", "quiet", "json"] as const) {
    const written = await dumped(
      view,
      read(hostile),
      { ...base, type: "message", number: 1, offset: 0, length: 9, reads: 1, value: hostile },
      { ...base, type: "message", number: 2, offset: 0, length: 9, reads: 1, value: text(hostile) },
      { ...base, type: "unframed", reason: text(hostile), lost: true },
    );
    // deno-lint-ignore no-control-regex
    assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.exec(written), null, view);
  }
});

Deno.test("a dump loses nothing when its sink is slow, and makes the relay wait", async () => {
  const gates: (() => void)[] = [];
  let written = 0;
  let most = 0;
  const dump = new RelayDump((bytes) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gates.push(() => {
      written += bytes.length;
      most = Math.max(most, bytes.length);
      resolve();
    });
    return promise;
  });
  const block = new Uint8Array(65_536);
  const COUNT = 100;
  let taken = 0;
  const feeding = (async () => {
    for (; taken < COUNT; taken++) await dump.observe(read(block, taken * block.length));
  })();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(taken > 0 && taken < COUNT / 2, `${taken} reads were taken while nothing was written`);
  const flushing = feeding.then(() => dump.flush());
  let done = false;
  flushing.then(() => done = true);
  while (!done) {
    gates.shift()?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const header = "12:34:56.007 #3 < 65536 bytes\n".length;
  assertEquals(written, COUNT * (header + 4_096 * 81));
  assert(most < 8 * 1024 * 1024, `${most} bytes waited`);
});

Deno.test("a dump whose sink fails says so to whoever goes on", async () => {
  const dump = new RelayDump(() => Promise.reject(new Error("disk full")));
  dump.observe(read(utf8("x")));
  await assertRejects(() => dump.flush(), Error, "disk full");
  await assertRejects(async () => await dump.observe(read(utf8("y"))), Error, "disk full");
});

Deno.test("notes about connections come behind what was written before them", async () => {
  const order: string[] = [];
  const dump = new RelayDump((bytes) => {
    order.push(text(bytes).split("\n")[0] ?? "");
    return Promise.resolve();
  }, { view: "text", note: (line) => order.push(line) });
  const base = { id: 3, time: TIME, elapsed: 1_500 };
  const addr: Deno.NetAddr = { transport: "tcp", hostname: "::1", port: 5 };
  dump.observe({ ...base, type: "open", client: addr, target: addr });
  dump.observe(read(utf8("x")));
  dump.observe({ ...base, type: "close", first: "target", fromClient: 1, fromTarget: 2 });
  await dump.flush();
  assertEquals(order, [
    "12:34:56.007 #3 open: [::1]:5 to [::1]:5",
    "12:34:56.007 #3 < 1 byte",
    "12:34:56.007 #3 closed: the target ended first, > 1 byte, < 2 bytes, 1.500 s",
  ]);
});

Deno.test("a capture gives back the events that were written", async () => {
  const addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 5 };
  const base = { id: 3, time: TIME, elapsed: 1.5 };
  const side = { ...base, from: "client" as const };
  const events: RelayEvent[] = [
    { ...base, type: "open", client: addr, target: addr },
    read(Uint8Array.from({ length: 256 }, (_, index) => index)),
    { ...side, type: "message", number: 1, offset: 0, length: 3, reads: 2, value: utf8("a\x1b") },
    {
      ...side,
      type: "message",
      number: 2,
      offset: 3,
      length: 9,
      reads: 1,
      value: { a: ["\u202e"] },
    },
    { ...side, type: "partial", number: 3, length: 4 },
    { ...side, type: "unframed", reason: "no", lost: true },
    { ...side, type: "end" },
    { ...base, type: "refused", client: addr, reason: "why not" },
    { ...base, type: "close", first: "relay", reason: "late", fromClient: 1, fromTarget: 2 },
  ];
  const written = await dumped("json", ...events);
  assertEquals(written.split("\n").length, events.length + 1);
  const back: RelayEvent[] = [];
  for await (const event of readCapture([utf8(written)])) back.push(event);
  assertEquals(back, events);
});

const BROKEN_CAPTURES = [
  "x",
  "null",
  "[]",
  "{}",
  '{"type":"__proto__"}',
  '{"type":"end","id":1,"time":"now","elapsed":1,"from":"client"}',
  '{"type":"end","id":1,"time":"2030-01-01T00:00:00Z","elapsed":1,"from":"x"}',
  '{"type":"data","id":1,"time":"2030-01-01T00:00:00Z","elapsed":1,"from":"client","offset":0,"data":"?"}',
  '{"type":"data","id":1,"time":"2030-01-01T00:00:00Z","elapsed":1,"from":"client","offset":0}',
  '{"type":"open","id":1,"time":"2030-01-01T00:00:00Z","elapsed":1,"client":{},"target":{}}',
];
for (const line of BROKEN_CAPTURES) {
  Deno.test(`the line ${line} is no capture`, async () => {
    const error = await assertRejects(async () => {
      for await (const _ of readCapture([utf8(`${line}\n`)]));
    }, FrameError);
    assertEquals(error.code, "corrupt");
  });
}
