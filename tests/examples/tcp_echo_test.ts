import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { run, runExample, startExample } from "./_run.ts";

const ncTest = testWith("nc");
const pythonTest = testWith("python3");
const telnetTest = testWith("telnet");

/** A tutorial's client: connects, and for each message sends it and prints what one recv returns. */
const PYTHON_CLIENT = `
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
if sys.argv[2]:
    print(s.recv(1024).decode())
for message in sys.argv[3:]:
    s.send(message.encode())
    print(s.recv(1024).decode())
s.send(b"exit")
print(s.recv(1024))
s.close()
`;

/** Connects and resets, as often as it is told, so that some resets arrive before the accept. */
const PYTHON_RESETS = `
import socket, struct, sys
for _ in range(int(sys.argv[2])):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.connect(("127.0.0.1", int(sys.argv[1])))
    s.close()
`;

const TUTORIAL = ["--greet", "Welcome!", "--reply", "Loop_msg: {}!", "--exit", "exit"];

pythonTest("tcp_echo answers the tutorial's Python client word for word", async () => {
  await using server = await startExample("tcp_echo.ts", TUTORIAL);
  const talk = () =>
    run("python3", ["-c", PYTHON_CLIENT, String(server.port), "greeted", "Hello,I am client!"]);
  const expected = "Welcome!\nLoop_msg: Hello,I am client!!\nb''\n";
  assertEquals((await talk()).stdout, expected);
  await run("python3", ["-c", PYTHON_RESETS, String(server.port), "3000"]);
  assertEquals((await talk()).stdout, expected);
});

pythonTest("tcp_echo --upper turns text of any alphabet into upper case", async () => {
  await using server = await startExample("tcp_echo.ts", ["--upper", "--exit", "exit"]);
  const { stdout } = await run("python3", [
    "-c",
    PYTHON_CLIENT,
    String(server.port),
    "",
    "stra\u00dfe \u00e9t\u00e9",
    "\u03b1\u03b2\u03b3 \u4f60\u597d",
  ]);
  assertEquals(stdout, "STRASSE \u00c9T\u00c9\n\u0391\u0392\u0393 \u4f60\u597d\nb''\n");
});

ncTest("tcp_echo without options sends back every byte, to nc as to anybody", async () => {
  await using server = await startExample("tcp_echo.ts", []);
  const { stdout } = await run("nc", ["-N", "127.0.0.1", String(server.port)], "one\ntwo\n");
  assertEquals(stdout, "one\ntwo\n");
});

telnetTest("tcp_echo serves telnet", async () => {
  await using server = await startExample("tcp_echo.ts", TUTORIAL);
  const { stdout } = await run("telnet", ["127.0.0.1", String(server.port)], "exit\n");
  assertStringIncludes(stdout, "Connected to 127.0.0.1.");
});

Deno.test("tcp_echo client sends its messages and shows the replies", async () => {
  await using server = await startExample("tcp_echo.ts", TUTORIAL);
  const { code, stdout, stderr } = await runExample("tcp_echo.ts", [
    "client",
    "--port",
    String(server.port),
    ...["--message", "hello", "--message", "\u4f60\u597d", "--message", "exit"],
  ]);
  assertEquals(stdout, "Welcome!\nLoop_msg: hello!\nLoop_msg: \u4f60\u597d!\n");
  assertEquals(stderr, "the server closed the connection\n");
  assertEquals(code, 0);
});

Deno.test("tcp_echo client reads messages from its input, skips empty ones, ends with it", async () => {
  await using server = await startExample("tcp_echo.ts", TUTORIAL);
  const args = ["client", "--port", String(server.port)];
  const { code, stdout } = await runExample("tcp_echo.ts", args, "one\n\n\ntwo");
  assertEquals(stdout, "Welcome!\nLoop_msg: one!\nLoop_msg: two!\n");
  assertEquals(code, 0);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`tcp_echo ends with exit 0 on ${signal}, also with a client that waits`, async () => {
    await using server = await startExample("tcp_echo.ts", []);
    const conn = await Deno.connect({ port: server.port });
    await conn.write(new TextEncoder().encode("hello"));
    await conn.read(new Uint8Array(16)); // now it is surely being served
    const stopped = server.stop(signal);
    assertEquals(await conn.read(new Uint8Array(16)), null);
    conn.close();
    assertEquals(await stopped, 0);
  });
}

Deno.test("tcp_echo says in one line that a port is in use, and where, and exits 1", async () => {
  await using server = await startExample("tcp_echo.ts", []);
  const { code, stderr } = await runExample("tcp_echo.ts", ["--port", String(server.port)]);
  assertEquals(stderr, `Cannot listen on 127.0.0.1:${server.port}: address already in use\n`);
  assertEquals(code, 1);
});

Deno.test("tcp_echo client says in one line that nobody is there, and exits 1", async () => {
  const { code, stderr } = await runExample("tcp_echo.ts", ["client", "--port", "1"]);
  assertEquals(stderr, "Cannot connect to 127.0.0.1:1: connection refused\n");
  assertEquals(code, 1);
});

const USAGE_ERRORS: [string[], RegExp][] = [
  [["--prot", "1"], /^Unknown option --prot, did you mean --port\?\n/],
  [["--port", "65536"], /^Option --port must be a whole number from 0 to 65535.*"65536"\n/],
  [["--port", "-1"], /^Option --port .*\n/],
  [["--port", "http"], /^Option --port must be .*"http"\n/],
  [["--port"], /^Option --port needs a value\n/],
  [["clint"], /^Unknown command "clint", did you mean client\?/],
  [["serve", "now"], /^Expected HOST:PORT or HOST PORT, current value is "now"\n/],
];
for (const [args, message] of USAGE_ERRORS) {
  Deno.test(`tcp_echo ${args.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await runExample("tcp_echo.ts", args);
    assertMatch(stderr, message);
    assertEquals(stdout, "");
    assertEquals(code, 2);
  });
}

Deno.test("tcp_echo --help explains every option on stdout", async () => {
  const { code, stdout } = await runExample("tcp_echo.ts", ["--help"]);
  for (const option of ["hostname", "port", "greet", "reply", "upper", "exit", "message", "help"]) {
    assertStringIncludes(stdout, `--${option}`);
  }
  assertEquals(code, 0);
});

Deno.test("tcp_echo needs no permission but the network", async () => {
  const script = new URL("../../examples/tcp_echo.ts", import.meta.url).pathname;
  const args = ["run", "--no-prompt", "--allow-net", script, "client", "--port", "1"];
  const { code, stderr } = await run(Deno.execPath(), args);
  assertEquals(stderr, "Cannot connect to 127.0.0.1:1: connection refused\n");
  assertEquals(code, 1);
});
