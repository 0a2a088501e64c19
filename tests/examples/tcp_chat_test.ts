import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { joinChat } from "../../apps/chat/mod.ts";
import { Peer, python, testWith } from "../_util/peers.ts";
import { Terminal } from "../_util/terminal.ts";
import { exampleArgs, runExample, startExample } from "./_run.ts";

const clientsTest = testWith("nc", "python3", "telnet");
const ncTest = testWith("nc");
const pythonTest = testWith("python3");
const telnetTest = testWith("python3", "telnet");

/** Joins, then says each line of its input and prints each line it hears. */
const PYTHON_CLIENT = `
import socket, sys, threading
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall((sys.argv[2] + "\\n").encode())
def listen():
    for line in s.makefile(encoding="utf-8"):
        print(line, end="")
threading.Thread(target=listen, daemon=True).start()
for line in sys.stdin:
    s.sendall(line.encode())
s.shutdown(socket.SHUT_WR)
`;

function joinArgs(port: number, name: string): string[] {
  return exampleArgs("tcp_chat.ts", ["join", "--port", String(port), "--name", name]);
}

/** Somebody at a terminal of 40 columns, in the room. */
async function joinAt(port: number, name: string): Promise<Terminal> {
  const terminal = new Terminal(Deno.execPath(), joinArgs(port, name), 40);
  await terminal.until((rows) => rows.at(-1) === `${name}>`);
  return terminal;
}

clientsTest("tcp_chat brings nc, telnet, Python and its own client into one room", async () => {
  await using server = await startExample("tcp_chat.ts", []);
  const port = String(server.port);
  await using nc = new Peer("nc", ["127.0.0.1", port]);
  assertEquals(await nc.line(), "*** What is your name?");
  await nc.type("Nora\n");
  assertMatch(await nc.line(), /^\*\*\* Welcome, Nora! Nobody else is here/);

  await using telnet = new Peer("telnet", ["127.0.0.1", port]);
  await telnet.shows("What is your name?");
  await telnet.type("nora\n");
  await telnet.shows("Sorry, that name is taken. What is your name?");
  await telnet.type("Tel\n");
  await telnet.shows("Welcome, Tel!");
  assertEquals(await nc.line(), "*** Tel has joined");

  await using snake = python(PYTHON_CLIENT, server.port, "\u674e\u96f7");
  assertEquals(await nc.line(), "*** \u674e\u96f7 has joined");
  await using own = new Peer(Deno.execPath(), joinArgs(server.port, "Owen"));
  assertEquals(await nc.line(), "*** Owen has joined");

  await nc.type("hello \u4f60\u597d\n");
  for (const peer of [telnet, snake, own]) await peer.shows("<Nora> hello \u4f60\u597d");
  await telnet.type("/me waves\n");
  for (const peer of [nc, snake, own]) await peer.shows("* Tel waves");
  await snake.type("/msg OWEN only you\n");
  await own.shows("[\u674e\u96f7] only you");
  await snake.shows("[to Owen] only you");
  await own.type("/who\n");
  await own.shows("*** Here are 4 people:");
  await own.shows("*** Nora, Tel, \u674e\u96f7, Owen");
  await own.type("/quit see you\n");
  await own.shows("*** Goodbye");
  assertEquals((await own.status).code, 0);
  await nc.shows("*** Owen has left: see you");
});

telnetTest("tcp_chat serves telnet at a terminal, also after Ctrl-C", async () => {
  await using server = await startExample("tcp_chat.ts", []);
  await using telnet = new Terminal("telnet", ["127.0.0.1", String(server.port)]);
  await telnet.endsWith("*** What is your name?");
  await telnet.type("Tel\r");
  await telnet.endsWith("Tel", "*** Welcome, Tel! Nobody else is here; /help lists the commands");
  await telnet.type("\x03\r/who\r");
  await telnet.endsWith("*** Here is 1 person:", "*** Tel");
  await telnet.type("/quit\r");
  await telnet.endsWith("*** Goodbye", "Connection closed by foreign host.");
});

Deno.test("tcp_chat join takes lines from a pipe and ends with it", async () => {
  await using server = await startExample("tcp_chat.ts", []);
  await using ada = await joinChat({ port: server.port, name: "Ada" });
  const { code, stdout, stderr } = await runExample(
    "tcp_chat.ts",
    ["join", "--port", String(server.port), "--name", "Bob"],
    "one\ntwo\n/who",
  );
  assertEquals(stderr, "");
  assertEquals(stdout.split("\n").slice(0, 3), [
    "*** Welcome, Bob! One other is here; /help lists the commands",
    "*** Here are 2 people:",
    "*** Ada, Bob",
  ]);
  assertEquals(code, 0);
  const heard: string[] = [];
  for await (const { line } of ada) if (heard.push(line) === 5) break;
  assertEquals(heard.slice(1), [
    "*** Bob has joined",
    "<Bob> one",
    "<Bob> two",
    "*** Bob has left",
  ]);
});

pythonTest("tcp_chat join keeps the line being typed below what arrives", async () => {
  await using server = await startExample("tcp_chat.ts", []);
  await using bob = await joinChat({ port: server.port, name: "Bob" });
  await using ada = await joinAt(server.port, "Ada");
  await ada.type("hxllo");
  await ada.endsWith("Ada> hxllo");
  await bob.send("hi \u4f60\u597d \x1b[31mred");
  await ada.endsWith("<Bob> hi \u4f60\u597d \u241b[31mred", "Ada> hxllo");
  await ada.cursorAt(10);

  await ada.type("\x1b[D\x1b[D\x1b[D\x7fe"); // back three, rub out the x, put an e
  await ada.endsWith("Ada> hello");
  await ada.cursorAt(7);
  await bob.send("still there?");
  await ada.endsWith("<Bob> still there?", "Ada> hello");
  await ada.cursorAt(7); // still in the middle of the word
  await ada.type("\r");
  await ada.endsWith("Ada> hello", "Ada>");
  for await (const { kind, text } of bob) {
    if (kind !== "message") continue;
    assertEquals(text, "hello");
    break;
  }
});

pythonTest("tcp_chat join keeps a line of several rows together", async () => {
  await using server = await startExample("tcp_chat.ts", []);
  await using bob = await joinChat({ port: server.port, name: "Bob" });
  await using ada = await joinAt(server.port, "Ada");
  const long = "abcdefghij".repeat(9); // 95 columns with the prompt
  const rows = [`Ada> ${long.slice(0, 35)}`, long.slice(35, 75), long.slice(75)];
  await ada.type(long);
  await ada.endsWith(...rows);
  await bob.send("first");
  await bob.send("second");
  await ada.endsWith("<Bob> first", "<Bob> second", ...rows);
  await ada.type("\x01\x1b[C"); // to the beginning, one right: into the first row
  await bob.send("third");
  await ada.endsWith("<Bob> second", "<Bob> third", ...rows);
  await ada.type("\x05!\r");
  for await (const { kind, text } of bob) {
    if (kind !== "message") continue;
    assertEquals(text, `${long}!`);
    break;
  }
});

const WAYS_OUT: [string, (terminal: Terminal) => void | Promise<void>, number][] = [
  ["Ctrl-D", (terminal) => terminal.type("\x04"), 0],
  ["/quit", (terminal) => terminal.type("/quit\r"), 0],
  ["Ctrl-C", (terminal) => terminal.type("half a line\x03"), 130],
  ["SIGTERM", (terminal) => terminal.terminate(), 130],
];
for (const [way, leave, expected] of WAYS_OUT) {
  pythonTest(`tcp_chat join leaves the terminal as it was after ${way}`, async () => {
    await using server = await startExample("tcp_chat.ts", []);
    await using ada = await joinAt(server.port, "Ada");
    await leave(ada);
    assertEquals(await ada.end(), { code: expected, restored: true });
    assert(!ada.rows.at(-1)?.startsWith("Ada>") || way === "/quit", ada.rows.join("\n"));
  });
}

pythonTest("tcp_chat join ends when the server does, also at a terminal", async () => {
  await using server = await startExample("tcp_chat.ts", []);
  await using ada = await joinAt(server.port, "Ada");
  await ada.type("unfinished");
  await ada.endsWith("Ada> unfinished");
  await server.stop("SIGTERM");
  assertEquals(await ada.end(), { code: 0, restored: true });
  assertEquals(ada.rows.at(-1), "*** Goodbye: the server is shutting down");
});

Deno.test("tcp_chat join says so when the server ends without a word", async () => {
  const listener = Deno.listen({ port: 0 });
  const { port } = listener.addr;
  const both = ["-c", `"$0" "$@" 2>&1`, Deno.execPath(), ...joinArgs(port, "Ada")];
  await using ada = new Peer("sh", both);
  const conn = await listener.accept();
  await conn.write(new TextEncoder().encode("*** Welcome, Ada! Hello\n"));
  await conn.read(new Uint8Array(16));
  conn.close();
  listener.close();
  assertEquals(await ada.rest(), "*** Welcome, Ada! Hello\nthe server closed the connection\n");
  assertEquals((await ada.status).code, 1);
});

Deno.test("tcp_chat join exits 1 with one line when its server is killed", async () => {
  const server = await startExample("tcp_chat.ts", []);
  await using bob = await joinChat({ port: server.port, name: "Bob" });
  const both = [
    "-c",
    `"$0" "$@" 2>&1 >/dev/null`,
    Deno.execPath(),
    ...joinArgs(server.port, "Ada"),
  ];
  await using ada = new Peer("sh", both);
  for await (const { line } of bob) if (line === "*** Ada has joined") break;
  await server[Symbol.asyncDispose](); // kills it
  assertMatch(await ada.rest(), /^(the server closed the connection|Cannot .*)\n$/);
  assertEquals((await ada.status).code, 1);
});

Deno.test("tcp_chat join says all lines of a pipe, also beyond the room's rate", async () => {
  await using server = await startExample("tcp_chat.ts", ["--rate", "40"]);
  await using ada = await joinChat({ port: server.port, name: "Ada" });
  const lines = Array.from({ length: 170 }, (_, line) => `line ${line}`);
  const { code, stderr } = await runExample(
    "tcp_chat.ts",
    ["join", "--port", String(server.port), "--name", "Bob"],
    lines.join("\n"),
  );
  assertEquals([code, stderr], [0, ""]);
  const heard: string[] = [];
  for await (const { kind, text } of ada) {
    if (kind === "message" && heard.push(text) === lines.length) break;
  }
  assertEquals(heard, lines);
});

Deno.test("tcp_chat join says in one line that nobody is there, and exits 1", async () => {
  const { code, stderr } = await runExample("tcp_chat.ts", ["join", "--port", "1", "--name", "A"]);
  assertEquals(stderr, "Cannot connect to 127.0.0.1:1: connection refused\n");
  assertEquals(code, 1);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  ncTest(`tcp_chat tells everybody and ends with exit 0 on ${signal}`, async () => {
    await using server = await startExample("tcp_chat.ts", []);
    await using ada = await joinChat({ port: server.port, name: "Ada" });
    await using nc = new Peer("nc", ["-N", "127.0.0.1", String(server.port)]);
    await nc.type("Nora\n");
    await nc.shows("Welcome, Nora!");
    const stopped = server.stop(signal);
    await nc.shows("*** Goodbye: the server is shutting down");
    await nc.endInput();
    let last = "";
    for await (const { line } of ada) last = line;
    assertEquals(last, "*** Goodbye: the server is shutting down");
    assertEquals(await stopped, 0);
  });
}

Deno.test("tcp_chat serve takes its limits from the command line", async () => {
  const limits = ["--history", "1", "--members", "2", "--per-address", "2", "--rate", "1000"];
  await using server = await startExample("tcp_chat.ts", limits);
  await using ada = await joinChat({ port: server.port, name: "Ada" });
  await ada.send("one");
  await ada.send("two");
  await ada.send("/who");
  for await (const { line } of ada) if (line === "*** Ada") break;
  const args = ["join", "--port", String(server.port), "--name", "Bob"];
  const { stdout } = await runExample("tcp_chat.ts", args);
  assertStringIncludes(stdout, "*** Earlier, the last line:\n<Ada> two\n*** That was earlier\n");
  await using _bob = await joinChat({ port: server.port, name: "Bob" });
  const { code, stderr } = await runExample("tcp_chat.ts", [...args.slice(0, -1), "Cy"]);
  assertEquals(stderr, "Cannot join as Cy: the room is full with 2 people\n");
  assertEquals(code, 1);
});

const USAGE_ERRORS: [string[], RegExp][] = [
  [["join"], /^Option --name is needed to join\n/],
  [["jion"], /^Unknown command "jion", did you mean join\?/],
  [["--histroy", "1"], /^Unknown option --histroy, did you mean --history\?\n/],
  [["--rate", "0"], /^Option --rate must be a whole number from 1, current value is "0"\n/],
  [["--members", "many"], /^Option --members must be a whole number from 1.*"many"\n/],
];
for (const [args, message] of USAGE_ERRORS) {
  Deno.test(`tcp_chat ${args.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await runExample("tcp_chat.ts", args);
    assertMatch(stderr, message);
    assertEquals(stdout, "");
    assertEquals(code, 2);
  });
}

Deno.test("tcp_chat --help explains every option and command on stdout", async () => {
  const { code, stdout } = await runExample("tcp_chat.ts", ["--help"]);
  for (
    const option of [
      "hostname",
      "port",
      "history",
      "members",
      "rate",
      "per-address",
      "name",
      "help",
    ]
  ) {
    assertStringIncludes(stdout, `--${option}`);
  }
  for (const command of ["/who", "/me", "/msg", "/quit", "/help"]) {
    assertStringIncludes(stdout, command);
  }
  assertEquals(code, 0);
});

pythonTest("tcp_chat join needs no permission but the network, also at a terminal", async () => {
  await using server = await startExample("tcp_chat.ts", []);
  const args = joinArgs(server.port, "Ada").toSpliced(1, 1, "--no-prompt", "--allow-net");
  await using ada = new Terminal(Deno.execPath(), args);
  await ada.until((rows) => rows.at(-1) === "Ada>");
  await ada.type("\x04");
  assertEquals(await ada.end(), { code: 0, restored: true });
});
