import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Peer, python, testWith } from "../_util/peers.ts";
import { Terminal } from "../_util/terminal.ts";
import { exampleArgs, runExample } from "./_run.ts";

const peersTest = testWith("nc", "python3");
const pythonTest = testWith("python3");

/** The tutorial's peer: bare text to and fro; it answers the first datagram, then sends what it reads. */
const PYTHON_PEER = `
import socket, sys, threading
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("bound")
data, sender = s.recvfrom(1024)
print(data.decode("utf-8"))
for line in sys.stdin:
    s.sendto(line.rstrip("\\n").encode("utf-8"), sender)
    data, sender = s.recvfrom(1024)
    print(data.decode("utf-8"))
`;

/** Every test process has a loopback address of its own, so that fixed ports are free. */
const HOST = `127.77.${(Deno.pid >> 8) & 255}.${Deno.pid & 255}`;
const ADA = `${HOST}:9001`;
const BOB = `${HOST}:9002`;
const LI = `${HOST}:9003`;

async function contactsFile(contacts: unknown): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(
    file,
    typeof contacts === "string" ? contacts : JSON.stringify(contacts),
  );
  return file;
}

function chatArgs(name: string, file: string, ...more: string[]): string[] {
  return exampleArgs("udp_chat.ts", ["--name", name, "--contacts", file, ...more]);
}

/** The program with its notes among its data, once it listens. */
async function start(args: string[]): Promise<Peer> {
  const peer = new Peer("sh", ["-c", `exec "$0" "$@" 2>&1`, Deno.execPath(), ...args]);
  await peer.shows("listening on ");
  await peer.line();
  return peer;
}

Deno.test("udp_chat: two of them talk, quit, choose, and leave", async () => {
  const file = await contactsFile({ ada: ADA, bob: BOB, "\u674e\u96f7": LI });
  await using ada = await start(chatArgs("ada", file));
  await using bob = await start(chatArgs("Bob", file));
  assertEquals(await ada.line(), "choose one of bob, \u674e\u96f7");
  assertEquals(await bob.line(), "choose one of ada, \u674e\u96f7");

  await ada.type("zed\n");
  assertEquals(await ada.line(), 'there is no contact "zed": choose one of bob, \u674e\u96f7');
  await ada.type("bob\n");
  assertEquals(await ada.line(), "talking to bob; quit goes back to choosing");
  await ada.type("\nh\u00e9llo \u4f60\u597d\n");
  assertEquals(await bob.line(), "<ada> h\u00e9llo \u4f60\u597d");

  await bob.type("ada\nhi there\n");
  assertEquals(await bob.line(), "talking to ada; quit goes back to choosing");
  assertEquals(await ada.line(), "<bob> hi there");
  await ada.type("quit\nada\nto myself\n");
  assertEquals(await ada.line(), "choose one of bob, \u674e\u96f7");
  assertEquals(await ada.line(), "talking to ada; quit goes back to choosing");
  assertEquals(await ada.line(), "<ada> to myself");

  await ada.type(`${"x".repeat(1_025)}\n`);
  assertEquals(
    await ada.line(),
    "not sent: it has 1025 bytes, and a message may have at most 1024",
  );
  await ada.endInput();
  assertEquals(await ada.rest(), "");
  assertEquals((await ada.status).code, 0);
  await Deno.remove(file);
});

peersTest(
  "udp_chat talks with the tutorial's Python peer, and tells strangers from contacts",
  async () => {
    const file = await contactsFile({ ada: ADA, "\u674e\u96f7": LI });
    await using li = python(PYTHON_PEER, HOST, 9003);
    assertEquals(await li.line(), "bound");
    await using ada = await start(chatArgs("ada", file));
    await ada.line();
    await ada.type("\u674e\u96f7\n\u4f60\u597d\n");
    assertEquals(await li.line(), "\u4f60\u597d");
    await ada.line();
    await li.type("\u56de\u590d\n");
    assertEquals(await ada.line(), "<\u674e\u96f7> \u56de\u590d");
    await ada.type("goodbye\n");
    assertEquals(await li.line(), "goodbye");

    await using nc = new Peer("nc", ["-u", "-s", "127.0.0.1", "-p", "0", HOST, "9001"]);
    await nc.type("who am \x1b[31mI?\n");
    assertMatch(await ada.line(), /^<127\.0\.0\.1:\d+, a stranger> who am \u241b\[31mI\?$/);
    await Deno.remove(file);
  },
);

pythonTest("udp_chat keeps the line being typed below what arrives", async () => {
  const file = await contactsFile({ ada: ADA, "\u674e\u96f7": LI });
  await using li = python(PYTHON_PEER, HOST, 9003);
  assertEquals(await li.line(), "bound");
  await using ada = new Terminal(Deno.execPath(), chatArgs("ada", file));
  await ada.endsWith(`listening on ${ADA}`, "choose one of \u674e\u96f7", "to whom?");
  await ada.type("\u674e\u96f7\r");
  await ada.endsWith("talking to \u674e\u96f7; quit goes back to choosing", "ada to \u674e\u96f7:");
  await ada.type("one\r");
  assertEquals(await li.line(), "one");
  await ada.type("two and \u4e09");
  await ada.endsWith("ada to \u674e\u96f7: two and \u4e09");
  await li.type("wait\n");
  await ada.endsWith("<\u674e\u96f7> wait", "ada to \u674e\u96f7: two and \u4e09");
  await ada.type("\r");
  assertEquals(await li.line(), "two and \u4e09");
  await ada.endsWith("ada to \u674e\u96f7:");
  await ada.type("quit\r");
  await ada.endsWith("choose one of \u674e\u96f7", "to whom?");
  await ada.type("\x04");
  assertEquals(await ada.end(), { code: 0, restored: true });
  await Deno.remove(file);
});

for (const [way, code] of [["\x04", 0], ["\x03", 130]] as const) {
  pythonTest(
    `udp_chat ends with ${code} on ${JSON.stringify(way)} and restores the terminal`,
    async () => {
      const file = await contactsFile({ ada: ADA, bob: BOB });
      await using ada = new Terminal(Deno.execPath(), chatArgs("ada", file, "--port", "0"));
      await ada.until((rows) => rows.at(-1) === "to whom?");
      await ada.type(way);
      assertEquals(await ada.end(), { code, restored: true });
      assertEquals(ada.rows.at(-1), "choose one of bob");
      await Deno.remove(file);
    },
  );
}

Deno.test("udp_chat binds what the contacts have for us, unless told otherwise", async () => {
  const file = await contactsFile({ "\u674e\u96f7": LI, bob: BOB });
  const listensOn = async (...args: string[]) => {
    const { stderr } = await runExample("udp_chat.ts", ["--contacts", file, ...args]);
    return stderr.split("\n")[0];
  };
  assertEquals(await listensOn("--name", "\u674e\u96f7"), `listening on ${LI}`);
  assertEquals(await listensOn("--name", "BOB", "--port", "9009"), `listening on ${HOST}:9009`);
  assertMatch(await listensOn("--name", "zed") ?? "", /^listening on 127\.0\.0\.1:\d+$/);
  assertMatch(
    await listensOn("--name", "bob", "--hostname", "::1", "--port", "0") ?? "",
    /\[::1\]/,
  );
  await Deno.remove(file);
});

Deno.test("udp_chat says in one line that its address is in use, and exits 1", async () => {
  const file = await contactsFile({ ada: ADA });
  await using _taken = await start(chatArgs("ada", file));
  const { code, stderr } = await runExample("udp_chat.ts", ["--name", "ada", "--contacts", file]);
  assertMatch(stderr, new RegExp(`^Cannot bind (on )?${ADA}: address already in use\n$`));
  assertEquals(code, 1);
  await Deno.remove(file);
});

const BAD_FILES: [string, RegExp][] = [
  ["{ nonsense", /: it is not JSON: /],
  [
    '{ "bob": "localhost" }',
    /: entry "bob": expected "host:port", current value is "localhost"\n$/,
  ],
];
for (const [contents, message] of BAD_FILES) {
  Deno.test(`udp_chat names the file that holds ${contents}`, async () => {
    const file = await contactsFile(contents);
    const { code, stderr } = await runExample("udp_chat.ts", ["--name", "a", "--contacts", file]);
    assert(stderr.startsWith(`Cannot read ${file}: `), stderr);
    assertMatch(stderr, message);
    assertEquals(stderr.split("\n").length, 2);
    assertEquals(code, 1);
    await Deno.remove(file);
  });
}

Deno.test("udp_chat says that there is no such file", async () => {
  const args = ["--name", "a", "--contacts", "/no/such/file.json"];
  const { code, stderr } = await runExample("udp_chat.ts", args);
  assertEquals(stderr, "Cannot read /no/such/file.json: no such file\n");
  assertEquals(code, 1);
});

for (const args of [[], ["--name", "a"], ["--contacts", "x"], ["--name", " ", "--contacts", "x"]]) {
  Deno.test(`udp_chat ${args.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await runExample("udp_chat.ts", args);
    assertMatch(stderr, /^Option --(name|contacts) is needed\n/);
    assertEquals(stdout, "");
    assertEquals(code, 2);
  });
}

Deno.test("udp_chat --help explains every option on stdout", async () => {
  const { code, stdout } = await runExample("udp_chat.ts", ["--help"]);
  for (const option of ["name", "contacts", "hostname", "port", "help"]) {
    assertStringIncludes(stdout, `--${option}`);
  }
  assertEquals(code, 0);
});
