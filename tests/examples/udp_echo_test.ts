import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bindUdp } from "../../udp/mod.ts";
import { testWith } from "../_util/peers.ts";
import { freePort } from "../_util/ports.ts";
import { run, runExample, startExample } from "./_run.ts";

const pythonTest = testWith("python3");

const PYTHON_CLIENT = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
for message in sys.argv[2:]:
    s.sendto(message.encode(), ("127.0.0.1", int(sys.argv[1])))
    print(s.recvfrom(1024)[0].decode())
`;

const TUTORIAL = ["--greet", "Welcome!", "--reply", "Loop_msg: {}!", "--exit", "exit"];

pythonTest("udp_echo: echoes, and ends cleanly on SIGTERM and SIGINT", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await using server = await startExample("udp_echo.ts", []);
    const { stdout } = await run("python3", ["-c", PYTHON_CLIENT, `${server.port}`, "a", "b\n"]);
    assertEquals(stdout, "a\nb\n\n");
    assertEquals(await server.stop(signal), 0);
  }
});

pythonTest("udp_echo: many peers on one socket", async () => {
  await using server = await startExample("udp_echo.ts", ["--upper"]);
  const runs = Array.from({ length: 8 }, async (_, i) => {
    const { stdout } = await run("python3", ["-c", PYTHON_CLIENT, `${server.port}`, `peer ${i}`]);
    assertEquals(stdout, `PEER ${i}\n`);
  });
  await Promise.all(runs);
});

Deno.test("udp_echo: greets, answers by a template and says goodbye", async () => {
  await using server = await startExample("udp_echo.ts", TUTORIAL);
  const client = await runExample("udp_echo.ts", [
    ...["client", "--port", `${server.port}`],
    ...["--message", "hello", "--message", "grüße", "--message", "exit", "--message", "unheard"],
  ]);
  assertEquals(client.stdout, "Welcome!\nLoop_msg: hello!\nLoop_msg: grüße!\n");
  assertEquals(client.stderr, "the server ended the conversation\n");
  assertEquals(client.code, 0);
});

Deno.test("udp_echo: the client reads its messages from the input and skips empty ones", async () => {
  await using server = await startExample("udp_echo.ts", []);
  const client = await runExample(
    "udp_echo.ts",
    ["client", "--port", `${server.port}`],
    "one\n\ntwo\n",
  );
  assertEquals([client.code, client.stdout], [0, "one\ntwo\n"]);
});

Deno.test("udp_echo: the client may be there before the server", async () => {
  const port = freePort();
  const client = runExample("udp_echo.ts", ["client", "--port", `${port}`, "--message", "early"]);
  await using endpoint = await bindUdp({ port });
  const datagram = await endpoint.receive(); // a first try may have been lost before
  await datagram.reply(datagram.data);
  const { code, stdout } = await client;
  assertEquals([code, stdout], [0, "early\n"]);
});

Deno.test("udp_echo: nobody there is a failure in one line", async () => {
  const port = freePort();
  const { code, stdout, stderr } = await runExample("udp_echo.ts", [
    ...["client", "--port", `${port}`, "--message", "hello"],
  ]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^Cannot get an answer from 127\.0\.0\.1:\d+: no answer to 6 tries over \d+ ms\n$/,
  );
});

Deno.test("udp_echo: a port that is taken is a failure in one line", async () => {
  await using taken = await bindUdp();
  const { port } = taken.addr;
  const { code, stderr } = await runExample("udp_echo.ts", ["--port", `${port}`]);
  assertEquals(code, 1);
  assertEquals(stderr, `Cannot bind on 127.0.0.1:${port}: address already in use\n`);
});

Deno.test("udp_echo: help, and wrong usage", async () => {
  const help = await runExample("udp_echo.ts", ["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "Usage: udp_echo.ts");
  for (const args of [["--port", "70000"], ["--prot", "1"], ["dance"], ["client", "--port", "0"]]) {
    assertEquals((await runExample("udp_echo.ts", args)).code, 2, args.join(" "));
  }
});
