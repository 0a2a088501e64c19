/** What one client can do to the others: nothing. The room's limits with a clock of the test's own, and
 * over sockets. */
import {
  ChatRoom,
  type ChatRoomLimits,
  type ChatSession,
  joinChat,
  serveChat,
} from "../../apps/chat/mod.ts";
import { AddressQuota } from "../../apps/chat/_address_quota.ts";
import { type ChatInput, chatLines } from "../../apps/chat/_lines.ts";
import { decline, type TelnetRequest, withTelnet } from "../../apps/chat/_telnet.ts";
import { resolveRoomOptions } from "../../apps/chat/room_options.ts";
import {
  connectTcp,
  type TcpConnection,
  type TcpServer,
  type TcpServerOptions,
} from "../../mod.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";

const decoder = new TextDecoder();

/** Somebody in a room without sockets. */
class Guest {
  readonly session: ChatSession;
  ended = false;
  #seen: string[] = [];

  constructor(room: ChatRoom, name: string, address?: string) {
    this.session = room.connect({
      send: (line) => void this.#seen.push(decoder.decode(line).slice(0, -1)),
      end: () => {
        this.ended = true;
      },
    }, { address });
    this.session.receive(name);
  }

  /** What came since the last look. */
  look(): string[] {
    return this.#seen.splice(0);
  }
}

/** A room in which time stands still until it is told to pass. */
function roomAndClock(limits: ChatRoomLimits): { room: ChatRoom; pass(ms: number): void } {
  let now = 0;
  const room = new ChatRoom({ limits, now: () => now });
  return { room, pass: (ms) => void (now += ms) };
}

Deno.test("a line counts as long as it is shown", () => {
  const room = new ChatRoom({ limits: { maxLineLength: 100 } });
  const [ada, bob] = [new Guest(room, "Ada"), new Guest(room, "Bob")];
  ada.look();
  bob.look();
  ada.session.receive("\u009b".repeat(12)); // 8 bytes each when shown
  assertEquals(bob.look(), [`<Ada> ${"<U+009B>".repeat(12)}`]);
  for (const command of ["", "/me ", "/msg Bob ", "/quit ", "/nope"]) {
    ada.session.receive(`${command}${"\u009b".repeat(13)}`);
    assertEquals(ada.look(), [
      "*** Not sent: a line may have at most 100 bytes with its control characters made visible",
    ]);
  }
  assertEquals(bob.look(), []);
});

Deno.test("the history is bounded in bytes, as newcomers get it", () => {
  const room = new ChatRoom({
    limits: { maxHistory: 1_000, maxHistoryBytes: 60, maxLinesAtOnce: Infinity },
  });
  const ada = new Guest(room, "Ada");
  for (let line = 0; line < 100; line++) ada.session.receive(`line number ${line}`); // 21 bytes each
  assertEquals(new Guest(room, "Bob").look().slice(2, -1), [
    "*** Earlier, the last 2 lines:",
    "<Ada> line number 98",
    "<Ada> line number 99",
  ]);
  ada.session.receive("x".repeat(100));
  assertEquals(new Guest(room, "Cy").look().length, 2, "a line longer than all of it is not kept");
});

Deno.test("who comes and goes faster than can be read is told in one line", () => {
  const { room, pass } = roomAndClock({ maxNoticesPerSecond: 1, maxNoticesAtOnce: 3 });
  const ada = new Guest(room, "Ada");
  ada.look();
  for (let count = 0; count < 100; count++) new Guest(room, `n${count}`).session.leave("bye");
  assertEquals(ada.look(), ["*** n0 has joined", "*** n0 has left: bye"]);
  pass(1_000);
  new Guest(room, "Bob");
  assertEquals(ada.look(), ["*** 99 more have joined and 99 have left"]);
  pass(2_000);
  new Guest(room, "Cy");
  assertEquals(ada.look(), ["*** 1 more have joined and 0 have left", "*** Cy has joined"]);
  pass(10_000);
  for (const guest of ["Dora", "Eve", "Fay", "Gil"]) new Guest(room, guest);
  assertEquals(ada.look().length, 3);
  pass(1_000);
  ada.session.receive("hello");
  assertEquals(ada.look(), ["*** 1 more have joined and 0 have left"]);
});

Deno.test("one address cannot take the room", () => {
  const room = new ChatRoom({ limits: { maxMembersPerAddress: 2 } });
  const first = new Guest(room, "n1", "192.0.2.1");
  new Guest(room, "n2", "192.0.2.1");
  const third = new Guest(room, "n3", "192.0.2.1");
  assertEquals(
    third.look().at(-1),
    "*** Sorry, there are 2 people from your address here already. What is your name?",
  );
  new Guest(room, "n4", "192.0.2.2");
  new Guest(room, "n5"); // over a unix socket
  first.session.leave();
  third.session.receive("n3");
  assertEquals(room.names, ["n2", "n4", "n5", "n3"]);

  new Guest(room, "v1", "2001:db8::1");
  new Guest(room, "v2", "2001:db8::2");
  assert(new Guest(room, "v3", "2001:db8::3").look().at(-1)?.includes("from your address"));
});

Deno.test("one address cannot join and leave as often as it likes", () => {
  const { room, pass } = roomAndClock({ maxJoinsPerSecond: 1, maxJoinsAtOnce: 2 });
  const ada = new Guest(room, "Ada", "192.0.2.1");
  ada.look();
  for (let count = 0; count < 100; count++) {
    const guest = new Guest(room, "Bob", "192.0.2.2");
    assertEquals(guest.session.name, count < 2 ? "Bob" : null);
    guest.session.leave();
  }
  assertEquals(ada.look().length, 4);
  pass(999);
  const late = new Guest(room, "Bob", "192.0.2.2");
  assertEquals(
    late.look().at(-1),
    "*** Sorry, too many have joined from your address just now. What is your name?",
  );
  pass(1);
  late.session.receive("Bob");
  assertEquals(room.names, ["Ada", "Bob"]);
});

Deno.test("more people from one address may join as fast", () => {
  const rates = (maxMembersPerAddress?: number) => {
    const { maxJoinsPerSecond, maxJoinsAtOnce } = resolveRoomOptions({
      limits: { maxMembersPerAddress },
    });
    return [maxJoinsPerSecond, maxJoinsAtOnce];
  };
  assertEquals(rates(), [1, 50]);
  assertEquals(rates(2), [1, 50]);
  assertEquals(rates(1_000), [20, 1_000]);
  assertEquals(rates(Infinity), [Infinity, Infinity]);
});

Deno.test("addresses are forgotten when they may join as often as new ones", () => {
  let now = 0;
  const quota = new AddressQuota(resolveRoomOptions({ now: () => now }));
  quota.enter("192.0.2.1");
  for (let second = 0; second < 10_000; second++) {
    const address = `10.0.${second >> 8}.${second & 255}`;
    assertEquals(quota.enter(address), undefined);
    quota.leave(address);
    now += 1_000;
  }
  assert(quota.size <= 4, `${quota.size} addresses`);
  quota.leave("192.0.2.1");
});

Deno.test("what others say waits behind a long answer, and not without bound", async () => {
  const room = new ChatRoom({ limits: { maxHistory: 1_000, maxLinesAtOnce: Infinity } });
  const ada = new Guest(room, "Ada");
  for (let line = 0; line < 30; line++) ada.session.receive(`${line} ${"x".repeat(1_000)}`);
  const seen: string[] = [];
  let taken = Promise.withResolvers<void>();
  let isEnded = false;
  const slow = room.connect({
    send: (line) => void seen.push(decoder.decode(line).slice(0, -1)),
    flush: () => taken.promise,
    end: () => {
      isEnded = true;
    },
  });
  const take = async () => {
    const { resolve } = taken;
    taken = Promise.withResolvers();
    resolve();
    await Promise.resolve();
  };
  slow.receive("Bob");
  const { ready } = slow;
  assert(ready !== undefined);
  assert(seen.length < 15, "only a piece goes out");
  ada.session.receive("meanwhile");
  ada.session.receive("/msg Bob psst");
  while (slow.ready !== undefined) await take();
  await ready;
  assertEquals(seen.slice(-3), ["*** That was earlier", "<Ada> meanwhile", "[Ada] psst"]);
  assertEquals(seen.length, 3 + 30 + 3);

  const late = room.connect({
    send() {},
    flush: () => new Promise(() => {}), // takes nothing
    end: () => {
      isEnded = true;
    },
  });
  late.receive("Cy");
  ada.look();
  for (let line = 0; line < 1_000; line++) ada.session.receive(".");
  assert(!isEnded);
  ada.session.receive(".");
  assert(isEnded && late.ended && late.ready === undefined);
  assertEquals(ada.look(), ["*** Cy has left: could not keep up"]);
});

/** What comes of bytes, cut into pieces of a length. */
function received(bytes: Uint8Array, length: number): { lines: string[]; answer: number[] } {
  const lines: string[] = [];
  const answer: number[] = [];
  const decoder = withTelnet(chatLines(4_096).decoder());
  for (let at = 0; at < bytes.length; at += length) {
    decoder.push(bytes.subarray(at, at + length), (message) => {
      if (message.kind === "line") lines.push(message.text);
      if (message.kind === "too_long") lines.push("(too long)");
      if (message.kind === "telnet") answer.push(...decline(message));
    });
  }
  return { lines, answer };
}

/** What telnet says around two lines: WILL, details, a request whose option is a line feed, WONT. */
const TELNET = new Uint8Array([
  ...[
    0xff,
    0xfb,
    0x1f,
    0xff,
    0xfa,
    0x1f,
    0,
    80,
    0xff,
    0xff,
    0,
    24,
    0xff,
    0xf0,
    0x41,
    0x64,
    0x61,
    0x0a,
  ],
  ...[0xff, 0xf4, 0xff, 0xfd, 0x06, 0x68, 0xff, 0xfd, 0x0a, 0x69, 0xff, 0xfc, 0x01, 0x0d, 0x0a],
]);

Deno.test("what telnet says is told from the text wherever the chunks are cut", () => {
  const whole = { lines: ["Ada", "hi"], answer: [0xff, 0xfe, 31, 0xff, 0xfc, 6, 0xff, 0xfc, 10] };
  for (let length = 1; length <= TELNET.length; length++) {
    assertEquals(received(TELNET, length), whole, `pieces of ${length} bytes`);
  }
});

Deno.test("a line keeps its first letter after a data mark, which the system takes out of the stream", () => {
  const bytes = new TextEncoder().encode("xxxh\u00e9\nx\u674e\n");
  bytes.set([0xff, 0xf4, 0xff]);
  bytes.set([0xff], bytes.indexOf(0x0a) + 1);
  for (const length of [1, 3, 100]) {
    assertEquals(received(bytes, length).lines, ["h\u00e9", "\u674e"], `pieces of ${length} bytes`);
  }
});

Deno.test("details that do not end swallow no line after the first", () => {
  const bytes = new TextEncoder().encode("xx never ends\nstill here\n");
  bytes.set([0xff, 0xfa]);
  assertEquals(received(bytes, 100).lines, ["", "still here"]);
});

Deno.test("all that telnet asks in a chunk is one message, answered by no more bytes", () => {
  const asks = new Uint8Array(3 * 1_365);
  for (let at = 0; at < 1_365; at++) asks.set([0xff, 0xfd, at % 256], 3 * at);
  const answers: Uint8Array[] = [];
  withTelnet(chatLines(4_096).decoder()).push(asks, (message) => {
    if (message.kind === "telnet") answers.push(decline(message));
  });
  assertEquals(answers.map(({ length }) => length), [asks.length]);
});

Deno.test("what telnet asks comes before the lines of its chunk, also for a reader that stops", () => {
  const bytes = new TextEncoder().encode("one\nxxxxxtwo\nthree\nxxxfour");
  bytes.set([0xff, 0xf4, 0xff, 0xfd, 0x06], 4);
  bytes.set([0xff, 0xfb, 0x1f], 19);
  for (const isStopping of [false, true]) {
    const decoder = withTelnet(chatLines(4_096).decoder());
    const seen: string[] = [];
    let before = -1;
    const emit = (message: ChatInput | TelnetRequest) => {
      seen.push(message.kind === "line" ? message.text : message.kind);
      return !isStopping;
    };
    const chunk = bytes.slice();
    decoder.push(chunk.subarray(0, 18), emit);
    chunk.fill(0x2e, 0, 18); // chunks are the caller's again
    while (before < (before = seen.length)) decoder.push(new Uint8Array(0), emit);
    decoder.push(chunk.subarray(18), emit);
    chunk.fill(0x2e);
    for (before = -1; before < (before = seen.length);) decoder.end(emit);
    assertEquals(seen, ["telnet", "one", "two", "telnet", "three", "four"], `${isStopping}`);
  }
});

Deno.test("a line too long is a message", () => {
  const bytes = new TextEncoder().encode(`one\n${"x".repeat(5_000)}\ntwo\n`);
  for (const length of [1, 1_000, 10_000]) {
    assertEquals(received(bytes, length).lines, ["one", "(too long)", "two"]);
  }
});

function serve(options: TcpServerOptions & { room: ChatRoom }): TcpServer<Deno.NetAddr> {
  return serveChat({ port: 0, onListen() {}, ...options });
}

const portOf = (server: TcpServer<Deno.NetAddr>) => server.addr.port;

async function enter(server: TcpServer<Deno.NetAddr>, name: string): Promise<TcpConnection> {
  const conn = await connectTcp({ port: portOf(server) });
  await conn.write(`${name}\n`);
  await until(conn, (line) => line.startsWith(`*** Welcome, ${name}!`));
  return conn;
}

/** Reads up to a line; the lines read. */
async function until(
  conn: TcpConnection,
  isLast: (line: string) => boolean,
): Promise<string[]> {
  const lines: string[] = [];
  for (let line: string | null = ""; !isLast(line);) {
    line = await conn.readLine();
    assert(line !== null, `the room has ended the connection after: ${lines.at(-1)}`);
    lines.push(line);
  }
  return lines;
}

Deno.test("lines that grow when they are shown do not lock newcomers out", async () => {
  await using server = serve({ room: new ChatRoom() });
  await using eve = await enter(server, "Eve");
  for (let line = 0; line < 48; line++) await eve.write(`${"\u009b".repeat(2_048)}\n`);
  await eve.write("/who\n");
  await until(eve, (line) => line === "*** Eve");
  await using ada = await enter(server, "Ada");
  await ada.write("/who\n");
  await until(ada, (line) => line === "*** Eve, Ada");
});

Deno.test("a long history reaches a slow joiner whole, and holds nobody up", async () => {
  const room = new ChatRoom({
    limits: {
      maxHistory: 600,
      maxHistoryBytes: 16 * 1024 * 1024,
      maxLineLength: 32 * 1024,
      maxLinesPerSecond: Infinity,
    },
  });
  await using server = serve({ room, limits: { maxWriteQueue: 16 * 1024 } });
  await using ada = await enter(server, "Ada");
  const filler = "x".repeat(20_000);
  for (let line = 0; line < 600; line++) await ada.write(`${line} ${filler}\n`); // 12 MB
  await ada.write("/who\n");
  await until(ada, (line) => line === "*** Ada");

  const slow = await connectTcp({ port: portOf(server) });
  await slow.write("Slow\n");
  await until(ada, (line) => line === "*** Slow has joined"); // and reads nothing
  await using bob = await connectTcp({ port: portOf(server) });
  await bob.write("Bob\n");
  await until(bob, (line) => line === "*** That was earlier");
  await until(ada, (line) => line === "*** Bob has joined");
  for (let line = 0; line < 20; line++) {
    await ada.write(`to ${line}\n`);
    assertEquals(await until(bob, (text) => text === `<Ada> to ${line}`), [`<Ada> to ${line}`]);
    await bob.write(`fro ${line}\n`);
    assertEquals(await until(ada, (text) => text === `<Bob> fro ${line}`), [`<Bob> fro ${line}`]);
  }
  const seen = await until(slow, (line) => line === "<Bob> fro 19");
  const earlier = seen.indexOf("*** That was earlier");
  assertEquals(
    seen.slice(earlier - 600, earlier),
    Array.from({ length: 600 }, (_, line) => `<Ada> ${line} ${filler}`),
  );
  assertEquals(seen.length - earlier - 1, 41, "*** Bob has joined, and what both have said");
  await slow.write("/quit\n");
  await until(slow, (line) => line === "*** Goodbye");
  await slow.close();
});

Deno.test("whoever asks for all names again and again and reads later gets them all", async () => {
  const room = new ChatRoom({ limits: { maxLinesPerSecond: Infinity, maxLinesAtOnce: Infinity } });
  for (let count = 0; count < 900; count++) new Guest(room, `n${count}_${"\u4f60".repeat(27)}`);
  await using server = serve({ room, limits: { maxWriteQueue: 64 * 1024 } });
  await using ada = await enter(server, "Ada");
  await ada.write("/who\n".repeat(60)); // 80 KB each
  let answers = 0;
  await until(ada, (line) => line.endsWith(", Ada") && ++answers === 60);
});

Deno.test("whoever says more than the rate allows is not read any more", async () => {
  // Time stands still, so that 5 lines are all that anybody may say.
  const room = new ChatRoom({ limits: { maxLinesPerSecond: 1, maxLinesAtOnce: 5 }, now: () => 0 });
  const server = serve({ room });
  await using ada = await enter(server, "Ada");
  const eve = await enter(server, "Eve");
  await until(ada, (line) => line === "*** Eve has joined");
  const chunk = new Uint8Array(1024 * 1024).fill(0x0a);
  chunk.set(new TextEncoder().encode("1\n2\n3\n4\n5\n6\n"));
  let written = 0;
  const flood = (async () => {
    for (; written < 256; written++) await eve.write(chunk);
  })();
  const heard = await until(ada, (line) => line === "<Eve> 4"); // the fifth line was the name
  assertEquals(heard, ["<Eve> 1", "<Eve> 2", "<Eve> 3", "<Eve> 4"]);
  await ada.write("/who\n");
  assertEquals(await until(ada, (line) => line === "*** Ada, Eve"), [
    "*** Here are 2 people:",
    "*** Ada, Eve",
  ]);
  const [, theirs] = [...server.connections];
  assert(
    (theirs?.stats().bytesReceived ?? Infinity) <= 1024 * 1024,
    `${theirs?.stats().bytesReceived} read`,
  );
  assert(written < 64, `${written} MiB were taken`);
  eve.abort();
  await assertRejects(() => flood);
  await server.shutdown({ timeout: 0 });
});

Deno.test("one address gets its seats and is told so", async () => {
  await using server = serve({ room: new ChatRoom({ limits: { maxMembersPerAddress: 2 } }) });
  await using _ada = await enter(server, "Ada");
  await using _bob = await enter(server, "Bob");
  await assertRejects(
    () => joinChat({ port: portOf(server), name: "Cy" }),
    Error,
    "Cannot join as Cy: there are 2 people from your address here already",
  );
});

const encoder = new TextEncoder();
const FLOODS: [string, Uint8Array][] = [
  ["empty lines", encoder.encode("\n".repeat(65_536))],
  ["lines of one byte", encoder.encode("x\n".repeat(32_768))],
  ["lines too long", encoder.encode(`${"x".repeat(4_097)}\n`.repeat(16))],
  ["lines that are not UTF-8", new Uint8Array(65_536).fill(0x80).fill(0x0a, 1_000, 1_001)],
  ["what telnet says", new Uint8Array(65_535).map((_, at) => [0xff, 0xfd, 0x0a][at % 3] ?? 0)],
];
for (const [what, bytes] of FLOODS) {
  Deno.test(`10 clients that flood the room with ${what} hold nobody up`, async () => {
    const server = serve({ room: new ChatRoom({ limits: { maxLinesAtOnce: 60 } }) });
    await using ada = await enter(server, "Ada");
    await using bob = await enter(server, "Bob");
    const floods: Promise<void>[] = [];
    const conns: TcpConnection[] = [];
    for (let count = 0; count < 10; count++) {
      const conn = await connectTcp({ port: portOf(server) });
      conns.push(conn);
      await conn.write(`Eve${count}\n`);
      await until(ada, (line) => line === `*** Eve${count} has joined`);
      floods.push((async () => {
        while (true) await conn.write(bytes);
      })());
      floods.push((async () => {
        for await (const _chunk of conn);
      })());
    }
    const rejected = floods.map((flood) => assertRejects(() => flood));
    for (let line = 0; line < 20; line++) {
      await ada.write(`${line}\n`);
      await until(bob, (text) => text === `<Ada> ${line}`);
    }
    assertEquals(server.connections.size, 12, "the floods went on");
    for (const conn of conns) conn.abort();
    await Promise.all(rejected);
    await server.shutdown({ timeout: 0 });
  });
}
