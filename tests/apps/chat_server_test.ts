/** The room over sockets, in this process. */
import {
  type ChatClient,
  chatHandler,
  ChatJoinError,
  type ChatJoinOptions,
  type ChatLine,
  ChatRoom,
  type ChatRoomLimits,
  type ChatServerOptions,
  joinChat,
  serveChat,
} from "../../apps/chat/mod.ts";
import { clientTls, serverTls } from "../_util/transports.ts";
import {
  connectTcp,
  FrameError,
  serveTcp,
  type TcpConnection,
  type TcpServer,
  type TcpServerOptions,
} from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";

function serve(options: ChatServerOptions<TcpServerOptions> = {}): TcpServer<Deno.NetAddr> {
  return serveChat({ port: 0, onListen() {}, ...options });
}

function portOf(server: TcpServer<Deno.NetAddr>): number {
  return server.addr.port;
}

function join(server: TcpServer<Deno.NetAddr>, name: string): Promise<ChatClient> {
  return joinChat({ port: portOf(server), name });
}

/** The next line that `wanted` accepts. */
async function until(client: ChatClient, wanted: (line: ChatLine) => boolean): Promise<ChatLine> {
  for await (const line of client) if (wanted(line)) return line;
  throw new Error("the room has closed");
}

const hears = (client: ChatClient, text: string) => until(client, ({ line }) => line === text);

/** A room whose people may say as much as they like. */
function talkative(limits: ChatRoomLimits = {}): ChatRoom {
  return new ChatRoom({
    limits: { maxLinesPerSecond: Infinity, maxLinesAtOnce: Infinity, ...limits },
  });
}

Deno.test("whoever stops reading is dropped, and the others get every line in order", async () => {
  await using server = serve({ room: talkative(), limits: { maxWriteQueue: 64 * 1024 } });
  await using ada = await join(server, "Ada");
  await using bob = await join(server, "Bob");
  const sleepy = await Deno.connect({ port: portOf(server) });
  await sleepy.write(new TextEncoder().encode("Sleepy\n")); // and never reads
  await hears(bob, "*** Sleepy has joined");

  const filler = "x".repeat(4_000);
  const lines = bob[Symbol.asyncIterator]();
  let sent = 0;
  let left = "";
  while (left === "") {
    assert(sent < 20_000, "80 MB and still not dropped");
    await ada.send(`${sent} ${filler}`);
    const { value } = await lines.next();
    if (value?.kind === "notice") left = value.line;
    else assertEquals(value?.text, `${sent++} ${filler}`);
  }
  assertEquals(left, "*** Sleepy has left: could not keep up");
  assertEquals(server.connections.size, 2);
  await ada.send("/who");
  await hears(ada, "*** Ada, Bob");
  sleepy.close();
});

Deno.test("shutting down says goodbye to everybody, also to those without a name", async () => {
  const server = serve();
  await using ada = await join(server, "Ada");
  await using bob = await join(server, "Bob");
  await using nameless = await connectTcp({ port: portOf(server) });
  assertEquals(await nameless.readLine(), "*** What is your name?");
  await hears(ada, "*** Bob has joined");
  const stopped = server.shutdown();
  const seen: string[] = [];
  for await (const { line } of ada) seen.push(line);
  assertEquals(seen, ["*** Goodbye: the server is shutting down"]);
  assertEquals(await nameless.readLine(), "*** Goodbye: the server is shutting down");
  assertEquals(await nameless.readLine(), null);
  await Promise.all([nameless.close(), bob.close()]);
  await stopped;
});

Deno.test("whoever says no name in time is told so and disconnected", async () => {
  await using server = serve({ timeouts: { name: 20 } });
  await using ada = await connectTcp({ port: portOf(server) });
  assertEquals(await ada.readLine(), "*** What is your name?");
  assertEquals(await ada.readLine(), "*** Goodbye: no name came");
  assertEquals(await ada.readLine(), null);
});

Deno.test("whoever says nothing for too long is told so, and the others why", async () => {
  const room = new ChatRoom();
  const heard: string[] = [];
  const send = (line: Uint8Array) => void heard.push(new TextDecoder().decode(line));
  room.connect({ send, end() {} }).receive("Watcher");
  await using server = serve({ room, timeouts: { idle: 20 } });
  await using silent = await join(server, "Silent");
  await hears(silent, "*** Goodbye: nothing was said");
  assertEquals(heard.at(-1), "*** Silent has left: nothing was said\n");
});

Deno.test("a connection that is reset is told to the others", async () => {
  await using server = serve();
  await using ada = await join(server, "Ada");
  const bob = await connectTcp({ port: portOf(server) });
  await bob.write("Bob\n");
  await hears(ada, "*** Bob has joined");
  await ada.send("lines that Bob does not read make his end a reset");
  await ada.send("/msg Bob so this one goes first");
  await hears(ada, "[to Bob] so this one goes first");
  bob.abort();
  const { line } = await until(ada, ({ kind }) => kind === "notice");
  assert(["*** Bob has left: connection lost", "*** Bob has left"].includes(line), line);
});

Deno.test("a line too long is refused, and the connection goes on", async () => {
  await using server = serve({ room: new ChatRoom({ limits: { maxLineLength: 100 } }) });
  await using ada = await join(server, "Ada");
  await using bob = await connectTcp({ port: portOf(server) });
  await bob.write(`Bob\n${"x".repeat(100_000)}\nstill here\n`);
  await hears(ada, "<Bob> still here");
  while (!(await bob.readLine())?.includes("a line may have at most 100 bytes"));
});

Deno.test("telnet's commands, CR LF and bytes that are not UTF-8 do no harm", async () => {
  await using server = serve();
  await using ada = await join(server, "Ada");
  await using bob = await connectTcp({ port: portOf(server) });
  const encoder = new TextEncoder();
  await bob.write(new Uint8Array([0xff, 0xfb, 0x1f, 0xff, 0xfa, 0x1f, 0, 80, 0, 24, 0xff, 0xf0]));
  await bob.write("Bob\r\n");
  await bob.write(new Uint8Array([0xff, 0xf4, 0xff, 0xfd, 0x06, ...encoder.encode("ok\r\n")]));
  await bob.write(new Uint8Array([0x61, 0xc3, 0x28, 0x80, 0x0a]));
  await hears(ada, "*** Bob has joined");
  await hears(ada, "<Bob> ok");
  await hears(ada, "<Bob> a\ufffd(\ufffd");

  // Its requests were declined: we do not want its window's size, and have no timing mark.
  const answers = [0xff, 0xfe, 0x1f, 0xff, 0xfc, 0x06];
  const seen: number[] = [];
  for await (const chunk of bob) {
    let telnet = 0;
    for (const byte of chunk) {
      if (byte === 0xff) telnet = 3;
      if (telnet-- > 0) seen.push(byte);
    }
    if (seen.length >= answers.length) break;
  }
  assertEquals(seen, answers);
});

/** What telnet sends after Ctrl-C (interrupt the process, `DO TIMING-MARK`), and the answer to it. */
const INTERRUPT = "\xff\xf4\xff\xfd\x06";
const NO_MARK = "\xff\xfc\x06";

/** Reads bytes up to some, and returns all as text of one character a byte. */
async function readTo(conn: TcpConnection, wanted: string): Promise<string> {
  const buffer = new Uint8Array(1_024);
  let seen = "";
  while (!seen.includes(wanted)) {
    const length = await conn.read(buffer);
    if (length === null) throw new Error(`the room has ended the connection after ${seen}`);
    seen += String.fromCharCode(...buffer.subarray(0, length));
  }
  return seen;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

Deno.test("telnet is answered before the line after its Ctrl-C, which it would not show", async () => {
  await using server = serve();
  await using ada = await connectTcp({ port: portOf(server) });
  await ada.write("Ada\r\n");
  await readTo(ada, "/help lists the commands\n");
  await ada.write(bytesOf(`${INTERRUPT}/who\r\n`));
  assertEquals(await readTo(ada, "*** Ada\n"), `${NO_MARK}*** Here is 1 person:\n*** Ada\n`);
});

Deno.test({
  name: "telnet is answered each time, however often Ctrl-C is pressed",
  timeout: 60_000,
  async fn() {
    await using server = serve();
    await using ada = await connectTcp({ port: portOf(server) });
    await readTo(ada, "What is your name?\n");
    for (let time = 0; time < 55; time++) {
      await ada.write(bytesOf(INTERRUPT));
      assertEquals(await readTo(ada, NO_MARK), NO_MARK);
    }
  },
});

Deno.test("a character cut in two by the network arrives whole", async () => {
  await using server = serve();
  await using ada = await join(server, "Ada");
  await using bob = await connectTcp({ port: portOf(server) });
  for (const byte of new TextEncoder().encode("\u674e\u96f7\n\u4f60\u597d\n")) {
    await bob.write(new Uint8Array([byte]));
  }
  await hears(ada, "<\u674e\u96f7> \u4f60\u597d");
});

Deno.test("200 people hear everything, each in the same order", async () => {
  await using server = serve({
    room: talkative({ maxMembersPerAddress: 200 }),
  });
  const people = await Promise.all(
    Array.from({ length: 200 }, (_, index) => join(server, `n${index}`)),
  );
  const speakers = people.slice(0, 4);
  const rounds = 25;
  const listening = people.slice(4).map(async (person) => {
    const heard: string[] = [];
    for await (const { kind, from, text } of person) {
      if (kind === "message" && heard.push(`${from} ${text}`) === rounds * speakers.length) break;
    }
    return heard.join("\n");
  });
  for (let round = 0; round < rounds; round++) {
    await Promise.all(speakers.map((speaker) => speaker.send(`round ${round}`)));
  }
  const heard = await Promise.all(listening);
  assertEquals(new Set(heard).size, 1);
  for (const index of speakers.keys()) {
    const own = heard[0]?.split("\n").filter((line) => line.startsWith(`n${index} `));
    assertEquals(own, Array.from({ length: rounds }, (_, round) => `n${index} round ${round}`));
  }
  await Promise.all(people.map((person) => person.close()));
});

Deno.test("two servers can share a room, and one can stop", async () => {
  const room = new ChatRoom();
  const path = `${await Deno.makeTempDir()}/room.sock`;
  await using overTcp = serve({ room });
  const overUnix = serveTcp({ path, onListen() {} }, chatHandler(room));
  await using ada = await join(overTcp, "Ada");
  const bob = await joinChat({ path, name: "Bob" });
  await bob.send("hello from a unix socket");
  await hears(ada, "<Bob> hello from a unix socket");
  const stopped = overUnix.shutdown();
  await hears(bob, "*** Goodbye: the server is shutting down");
  await bob.close();
  await stopped;
  await ada.send("/who");
  await hears(ada, "*** Ada");
});

Deno.test("a client that only ends its side is still told what it asked", async () => {
  await using server = serve();
  await using ada = await connectTcp({ port: portOf(server) });
  await ada.write("Ada\n/who");
  await ada.closeWrite();
  const lines: string[] = [];
  for (let line; (line = await ada.readLine()) !== null;) lines.push(line);
  assertEquals(lines.slice(-2), ["*** Here is 1 person:", "*** Ada"]);
});

Deno.test("joinChat tells a name that is taken from a server that is no room", async () => {
  await using server = serve();
  await using _ada = await join(server, "Ada");
  const taken = await assertRejects(() => join(server, "ada"), ChatJoinError);
  assertEquals(taken.message, "Cannot join as ada: that name is taken");
  assertEquals([taken.code, taken.reason], ["refused", "that name is taken"]);

  await using other = serveTcp({ port: 0, onListen() {} }, (conn) => conn.write("220 ftp\r\n"));
  const wrong = await assertRejects(() => join(other, "Ada"), ChatJoinError);
  assertEquals(wrong.code, "protocol");
  assertStringIncludes(wrong.message, "does not answer as a chat room does");

  await using mute = serveTcp({ port: 0, onListen() {} }, () => {});
  const closed = await assertRejects(() => join(mute, "Ada"), ChatJoinError);
  assertEquals(closed.code, "gone");
  assertStringIncludes(closed.message, "the server closed the connection");

  await using silent = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    await conn.readLine();
    await conn.readLine();
  });
  await assertRejects(
    () => joinChat({ port: portOf(silent), name: "Ada", timeout: 50 }),
    Deno.errors.TimedOut,
  );
});

Deno.test("joinChat makes what a hostile server sends harmless", async () => {
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    await conn.write("*** Welcome, Ada! \x1b[2J\n<Bob\x1b]0;title\x07> hi\n\x9b31m\n");
    await conn.readLine();
    await conn.readLine();
  });
  await using ada = await join(server, "Ada");
  const lines: string[] = [];
  for await (const { line } of ada) if (lines.push(line) === 3) break;
  assertEquals(lines, [
    "*** Welcome, Ada! \u241b[2J",
    "<Bob\u241b]0;title\u2407> hi",
    "<U+009B>31m",
  ]);
});

Deno.test("a line that is none is not sent", async () => {
  await using server = serve();
  await using ada = await join(server, "Ada");
  await using bob = await join(server, "Bob");
  await assertRejects(() => ada.send("two\nlines"), FrameError);
  await assertRejects(() => ada.send("x".repeat(4_097)), FrameError);
  await ada.send("one line");
  assertEquals((await until(bob, ({ kind }) => kind === "message")).text, "one line");
});

Deno.test("leaving lets the last words of the room through and then ends the loop", async () => {
  await using server = serve();
  await using ada = await join(server, "Ada");
  await ada.send("/who");
  await ada.leave();
  const lines: string[] = [];
  for await (const { line } of ada) lines.push(line);
  assertEquals(lines.at(-1), "*** Ada");
});

Deno.test("a room over TLS", async () => {
  await using server = serve({ tls: serverTls });
  const tls = clientTls;
  await using ada = await joinChat({ port: portOf(server), name: "Ada", tls });
  await using bob = await joinChat({ port: portOf(server), name: "Bob", tls });
  await bob.send("hello");
  await hears(ada, "<Bob> hello");
});

Deno.test("options that do not exist are refused before anything is bound or connected", async () => {
  assertThrows(
    () => serve({ nameTimeout: 20 } as object),
    TypeError,
    'Cannot use option "nameTimeout" of serveChat',
  );
  assertThrows(
    () => serve({ maxWriteQueue: 20 } as object),
    TypeError,
    'did you mean "limits.maxWriteQueue"?',
  );
  assertThrows(() => chatHandler(new ChatRoom(), { timeouts: { idle: -1 } }), RangeError, "idle");
  await assertRejects(
    () => joinChat({ port: 1, nam: "Ada" } as unknown as ChatJoinOptions),
    TypeError,
    'did you mean "name"?',
  );
});
