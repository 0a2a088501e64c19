/** The program with names and peers that mean harm, and with much to do. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { listFiles } from "../../../apps/files/mod.ts";
import { Peer, python, testWith } from "../../_util/peers.ts";
import { exampleArgs, runExample, startExample } from "../../examples/_run.ts";
import { encode, Folder, noise, readLine, say, serve } from "./_harness.ts";

const pythonTest = testWith("python3");

const PROGRAM = "file_transfer.ts";

/** What a terminal obeys, or shows in another order. */
const HARMFUL = /[^\P{C}\n]/u;

/** A program whose stdout and stderr are read together. */
function spawn(args: string[]): Peer {
  return new Peer("sh", [
    "-c",
    'exec "$@" 2>&1',
    "sh",
    Deno.execPath(),
    ...exampleArgs(PROGRAM, args),
  ]);
}

Deno.test("an option that must name a file cannot be empty", async () => {
  await using here = await Folder.make();
  const path = await here.write("file", "");
  const cases: [string[], RegExp][] = [
    [
      ["get", "a", "--output", ""],
      /^Option --output must be the name of a file, current value is ""\n/,
    ],
    [
      ["get", "a", "--output="],
      /^Option --output must be the name of a file, current value is ""\n/,
    ],
    [
      ["put", path, "--name", ""],
      /^Option --name must be the name of a file, current value is ""\n/,
    ],
    [["get"], /^get needs a name: get NAME\n/],
    [["get", ""], /^NAME must be the name of a file, current value is ""\n/],
    [["put"], /^put needs a file: put FILE\n/],
    [["serve"], /^serve needs a folder: serve DIR\n/],
    [["serve", ".", "--max-entries", "0"], /^Option --max-entries must be a whole number from 1/],
  ];
  const results = await Promise.all(cases.map(([args]) => runExample(PROGRAM, args)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assertMatch(stderr, cases[index]![1]);
    assertEquals([stdout, code], ["", 2]);
  }
});

Deno.test("what the program prints of others is harmless, as text and as JSON", async () => {
  await using folder = await Folder.make();
  await using here = await Folder.make();
  const name = "a\u202etxt.exe\u2066\u200b";
  await folder.write(name, "content");
  await folder.write("esc\x1b[2J", "");
  await using server = await serve(folder);
  const port = ["--port", String(server.port)];
  const output = ["--output", here.at("\x1b[2J\u009b\u202e")];
  const runs = [["list"], ["list", "--json"], ["get", name, "--json", ...output], [
    "get",
    name,
    ...output,
  ]];
  const finished = [];
  for (const args of runs) finished.push(await runExample(PROGRAM, [...args, ...port]));
  for (const { stdout, stderr } of finished.slice(1, 3)) {
    assert(!HARMFUL.test(stdout + stderr), stdout);
  }
  for (const { stdout, stderr } of finished) {
    assert(!/[^\P{Cc}\n]|[\u202e\u2066]/u.test(stdout + stderr));
  }
  const [text, list, result, refused] = finished;
  assertMatch(text!.stdout, / a<U\+202E>txt\.exe<U\+2066>/);
  assertEquals(text!.stderr, "1 name is not shown: control characters, or no text\n");
  assertEquals(JSON.parse(list!.stdout).name, name);
  assertEquals(JSON.parse(result!.stdout).path, output[1]);
  assertEquals([refused!.code, refused!.stdout], [1, ""]);
});

pythonTest("a name that commands the terminal is refused by the program", async () => {
  for (const name of ["\u009b2J", "\x1b[2J", "..", "a\0"]) {
    const body = `5 - ${name}\n`;
    const lie = `
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client, _ = listener.accept()
client.recv(100)
body = bytes.fromhex(sys.argv[1])
client.sendall(b"OK %d 0 -\\n%sOK -\\n" % (len(body), body))
`;
    await using liar = python(lie, encode(body).toHex());
    const args = ["list", "--json", "--port", await liar.line()];
    const { code, stdout, stderr } = await runExample(PROGRAM, args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^Cannot list the files: the other side does not speak this protocol[^\n]*\n$/,
    );
    assert(!/[^\P{Cc}\n]/u.test(stderr), JSON.stringify(stderr));
  }
});

Deno.test("the program lists 10,001 files, and no more than it is told to", async () => {
  await using folder = await Folder.make();
  fill(folder, 10_001);
  {
    await using server = await startExample(PROGRAM, ["serve", folder.path]);
    const { code, stdout } = await runExample(PROGRAM, ["list", "--port", String(server.port)]);
    assertEquals([code, stdout.split("\n").length], [0, 10_002]);
  }
  const options = ["serve", folder.path, "--max-entries", "10000"];
  await using server = await startExample(PROGRAM, options);
  const { code, stderr } = await runExample(PROGRAM, ["list", "--port", String(server.port)]);
  assertEquals(stderr, "Cannot list the files: it holds too many entries to be listed\n");
  assertEquals(code, 1);
});

/** Makes empty files. */
function fill(folder: Folder, count: number): void {
  for (let index = 0; index < count; index++) Deno.writeFileSync(folder.at(`${index}`), noise(0));
}

Deno.test("what a killed server has left is gone when the next one has started", async () => {
  await using folder = await Folder.make();
  const options = ["serve", folder.path, "--allow-upload"];
  const begin = async (port: number) => {
    const conn = await Deno.connect({ port });
    await conn.write(encode("PUT 100 new none x\nabc"));
    assertEquals(await readLine(conn), "OK 100 0 -");
    return conn;
  };
  const killed = await startExample(PROGRAM, options);
  const broken = await begin(killed.port);
  await killed[Symbol.asyncDispose](); // by SIGKILL
  broken.close();
  assertEquals((await folder.names()).length, 1);
  await using server = await startExample(PROGRAM, options);
  assertEquals(await folder.names(), []);
  // What another server is receiving stays.
  using conn = await begin(server.port);
  await using other = await startExample(PROGRAM, options);
  assertEquals((await folder.names()).length, 1);
  await conn.write(encode("x".repeat(97) + "OK -\n"));
  assertEquals(await readLine(conn), "OK -");
  assertEquals((await listFiles({ port: other.port })).map(({ name }) => name), ["x"]);
});

Deno.test("each failure is told in one harmless line, and not too many of them", async () => {
  await using folder = await Folder.make();
  await using server = spawn(["serve", folder.path, "--port", "0"]);
  const port = Number(/:(\d+)$/.exec(await server.line())?.[1]);
  const requests = ["GET 0 - none \x1b[2J\u009b\u202e\n", "\n", "\x1b]0;x\x07\n"];
  let isOver = false;
  const flooding = (async () => {
    while (!isOver) await Promise.all(requests.map((request) => say(port, request)));
  })();
  for (let shown = 0; shown < 10; shown++) {
    const line = await server.line();
    assert(!/[\p{Cc}\u202e]/u.test(line), JSON.stringify(line));
    assertMatch(line, /^127\.0\.0\.1:\d+ (GET|\?) .* 0 B in [\d.]+ s: /);
  }
  assertMatch(await server.line(), /^\d+ more like this were not shown$/);
  isOver = true;
  await flooding;
  server.kill("SIGTERM");
  await server.rest();
});
