/** Talk by name: the contacts, the conversation, and the sockets of both backends. */
import {
  bindUdpChat,
  type ContactAddress,
  parseContacts,
  type UdpChat,
} from "../../apps/chat/mod.ts";
import { UdpConversation } from "../../terminal/conversation.ts";
import { bindUdp } from "../../udp/mod.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

Deno.test("contacts are read in their order, names in NFC, IPv6 without brackets", () => {
  const json = JSON.stringify({
    "Zoe\u0308": "10.0.0.1:9001",
    "\u674e\u96f7": "[fe80::1%eth0]:65535",
    "Ada Lovelace": " example.com:1 ",
    "Boris \u0411\u043e\u0440\u0438\u0441": "[::1]:1",
  });
  assertEquals([...parseContacts(`\ufeff${json}`)], [
    ["Zo\u00eb", { hostname: "10.0.0.1", port: 9001 }],
    ["\u674e\u96f7", { hostname: "fe80::1%eth0", port: 65535 }],
    ["Ada Lovelace", { hostname: "example.com", port: 1 }],
    ["Boris \u0411\u043e\u0440\u0438\u0441", { hostname: "::1", port: 1 }],
  ]);
  assertEquals(parseContacts("{}").size, 0);
});

const form = 'expected "host:port"';
const range = "the port must be a whole number from 1 to 65535";
const BAD_CONTACTS: [string, string][] = [
  ["", "it is not JSON: "],
  ["{", "it is not JSON: "],
  ["[]", `expected an object of names and "host:port", current value is an array`],
  ["null", `expected an object of names and "host:port", current value is null`],
  ['"a"', `expected an object of names and "host:port", current value is "a"`],
  ['{"ok":"a:1","bob":42}', `entry "bob": ${form}, current value is 42`],
  ['{"bob":null}', `entry "bob": ${form}, current value is null`],
  ['{"bob":{"port":1}}', `entry "bob": ${form}, current value is {"port":1}`],
  ['{"bob":""}', `entry "bob": ${form}, current value is ""`],
  ['{"bob":"host"}', `entry "bob": ${form}, current value is "host"`],
  ['{"bob":":1"}', `entry "bob": ${form}, current value is ":1"`],
  ['{"bob":"a b:1"}', `entry "bob": ${form}, current value is "a b:1"`],
  ['{"bob":"udp://a:1"}', `entry "bob": ${form}`],
  ['{"bob":"::1:9"}', `entry "bob": ${form} with an IPv6 address in brackets`],
  ['{"bob":"a:0"}', `entry "bob": ${range}, current value is "a:0"`],
  ['{"bob":"a:65536"}', `entry "bob": ${range}, current value is "a:65536"`],
  ['{"bob":"a:-1"}', `entry "bob": ${form}`],
  ['{"bob":"a:1e3"}', `entry "bob": ${form}`],
  ['{" ":"a:1"}', `entry " ": the name is empty`],
  ['{"a\\u001b[2J":"a:1"}', `entry "a\\u001b[2J": the name has control characters in it`],
  [`{"${"x".repeat(65)}":"a:1"}`, "the name is longer than 64 characters"],
  ['{"Bob":"a:1","BOB":"b:1"}', `entry "BOB": the name is the same as "Bob"`],
  ['{"Cy":"a:1","\u0421\u0443":"b:1"}', `entry "\u0421\u0443": the name looks like "Cy"`],
  ['{"B\u2c9fb":"a:1"}', "the name has characters of a script that is not in use today"],
  ['{"Ada \u{1d159}":"a:1"}', "the name has invisible characters in it"],
  ['{"Ada B\u200bob":"a:1"}', "the name has invisible characters in it"],
  [`{"a${"\u0316\u0317".repeat(15)}":"a:1"}`, "the name has too many marks on one letter"],
];
for (const [json, problem] of BAD_CONTACTS) {
  Deno.test(`contacts ${json.slice(0, 40)} are refused with file and entry`, () => {
    const error = assertThrows(() => parseContacts(json, "friends.json"), TypeError);
    assert(error.message.startsWith("Cannot read friends.json: "), error.message);
    assert(error.message.includes(problem), error.message);
    assert(!/\p{Cc}/u.test(error.message), "one plain line");
  });
}

Deno.test("contacts beyond ten thousand are refused", () => {
  const many = Array.from({ length: 10_001 }, (_, index) => [`n${index}`, "a:1"]);
  const json = JSON.stringify(Object.fromEntries(many));
  assertThrows(() => parseContacts(json), TypeError, "there are more than 10000 entries");
});

Deno.test("a conversation: choose, talk, quit, choose again", () => {
  const names = ["Bob", "\u674e\u96f7"];
  const conversation = new UdpConversation({
    name: "Ada",
    names,
    maxLength: 10,
    find: (name) => names.find((one) => one.toLowerCase() === name.toLowerCase()) ?? null,
  });
  const take = (line: string) => conversation.take(line);
  const choices = "choose one of Bob, \u674e\u96f7";
  assertEquals(conversation.prompt, "to whom? ");
  assertEquals(take("   "), { kind: "nothing" });
  assertEquals(take("Cy"), { kind: "note", text: `there is no contact "Cy": ${choices}` });
  assertEquals(take("quit"), { kind: "note", text: `${choices}; Ctrl-D leaves` });
  assertEquals(take(" bob "), {
    kind: "note",
    text: "talking to Bob; quit goes back to choosing",
  });
  assertEquals(conversation.prompt, "Ada to Bob: ");
  assertEquals(take(""), { kind: "nothing" });
  assertEquals(take("  hi there"), { kind: "send", to: "Bob", text: "  hi there" });
  assertEquals(take("\u4f60\u4f60\u4f60x").kind, "send");
  assertEquals(take("\u4f60\u4f60\u4f60xy"), {
    kind: "note",
    text: "not sent: it has 11 bytes, and a message may have at most 10",
  });
  assertEquals(take("\u674e\u96f7").kind, "send", "a name is a message while one talks");
  assertEquals(take(" quit "), { kind: "note", text: choices });
  assertEquals(conversation.peer, null);
  take("\u674e\u96f7");
  assertEquals(conversation.peer, "\u674e\u96f7");
});

function portOf(chat: UdpChat): number {
  return chat.addr.port;
}

async function next(chat: UdpChat) {
  for await (const message of chat) return message;
  throw new Error("closed");
}

const local = (port: number): ContactAddress => ({ hostname: "127.0.0.1", port });

for (const backend of ["deno", "node"] as const) {
  Deno.test(`two people talk by name over ${backend}`, async () => {
    await using bob = await bindUdpChat({ name: "Bob", contacts: new Map(), backend });
    const bobs = new Map([["Bob", { hostname: "localhost", port: portOf(bob) }]]);
    await using ada = await bindUdpChat({ name: "Ada", contacts: bobs, backend });
    const adas = new Map([["\u00c4da", local(portOf(ada))]]);
    await using late = await bindUdpChat({ name: "Late", contacts: adas, backend });

    await ada.send("bob", "\u4f60\u597d");
    const stranger = await next(bob);
    assertEquals(stranger.from, null);
    assertEquals(stranger.address, `127.0.0.1:${portOf(ada)}`);
    assertEquals(stranger.lines, ["\u4f60\u597d"]);

    await late.send("\u00e4da", "hello");
    assertEquals((await next(ada)).from, null);
    await assertRejects(() => late.send("Bob", "x"), TypeError, 'there is no contact "Bob"');
  });
}

Deno.test("a sender is known by address, however it is written in the contacts", async () => {
  await using peer = await bindUdp({ hostname: "::1" });
  const { port } = peer.addr;
  const contacts = new Map([
    ["Peer", { hostname: "0:0:0:0:0:0:0:1", port }],
    ["Nowhere", { hostname: "no-such-host.invalid", port: 1 }],
    ["Me", { hostname: "::1", port: 9 }],
  ]);
  await using me = await bindUdpChat({ name: "me", contacts, port: 0 });
  assertEquals(me.addr.hostname, "::1", "the address of our own entry");
  assertEquals(me.names, ["Peer", "Nowhere"]);
  await peer.send("hi", me.addr);
  assertEquals((await next(me)).from, "Peer");
  await assertRejects(() => me.send("Nowhere", "x"), Deno.errors.NotFound);
});

Deno.test("what others send is made harmless, line by line", async () => {
  await using me = await bindUdpChat({ name: "me", contacts: new Map() });
  await using peer = await bindUdp();
  const cases: [string | Uint8Array, string[]][] = [
    ["\x1b]0;title\x07\n", ["\u241b]0;title\u2407"]],
    ["one\r\ntwo\n\n", ["one", "two"]],
    ["a\rb\u202ec", ["a\u240db<U+202E>c"]],
    [new Uint8Array([0xff, 0x9b, 0x61]), ["\ufffd\ufffda"]],
    ["", [""]],
    ["x".repeat(60_000), ["x".repeat(60_000)]],
    ["a\n\n\nb\r\n\n", ["a", "", "", "b"]],
  ];
  for (const [data, lines] of cases) {
    await peer.send(data, me.addr);
    assertEquals((await next(me)).lines, lines);
  }
});

Deno.test("a message of nothing but line ends is shown in linear time, and as so many lines", async () => {
  await using me = await bindUdpChat({ name: "me", contacts: new Map() });
  await using peer = await bindUdp();
  await peer.send("\n".repeat(65_000) + "x", me.addr);
  // The pattern that looked for the line ends at the end took 6 s for this one.
  const began = performance.now();
  const { lines } = await next(me);
  assert(performance.now() - began < 2_000);
  assertEquals(lines.length, 1_001);
  assertEquals(lines.at(-1), "(cut off here, 64001 more lines came)");
});

Deno.test("a message too long is refused with the limit, not cut", async () => {
  await using bob = await bindUdpChat({ name: "Bob", contacts: new Map() });
  const contacts = new Map([["Bob", local(portOf(bob))]]);
  await using ada = await bindUdpChat({ name: "Ada", contacts });
  await assertRejects(
    () => ada.send("Bob", "\u4f60".repeat(342)),
    RangeError,
    "Cannot send 1026 bytes: a message may have at most 1024",
  );
  await ada.send("Bob", "x".repeat(1024));
  assertEquals((await next(bob)).data.length, 1024);
});

Deno.test("closing ends the loop over the messages", async () => {
  const chat = await bindUdpChat({ name: "me", contacts: new Map() });
  const loop = (async () => {
    for await (const _message of chat);
  })();
  await chat.close();
  await loop;
});
