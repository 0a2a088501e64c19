import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder, noise, say, serveLies, sha256 } from "../apps/files/_harness.ts";
import { Peer, python, testWith } from "../_util/peers.ts";
import { exampleArgs, run, runExample, startExample } from "./_run.ts";

const networkTest = testWith("network");
const pythonTest = testWith("python3");

const MiB = 1024 * 1024;
const PROGRAM = "file_transfer.ts";

/** Runs the program with a folder as its current one. */
function runIn(folder: Folder, args: string[]) {
  const command = ["-c", 'cd "$0" && exec "$@"', folder.path, Deno.execPath()];
  return run("sh", [...command, ...exampleArgs(PROGRAM, args)]);
}

Deno.test("file_transfer serves, lists and gets", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const content = noise(2 * MiB);
  await source.write("big file.bin", content);
  await source.write("folder/small.txt", "small");
  await source.write(".hidden", "dot");
  await using server = await startExample(PROGRAM, ["serve", source.path]);
  const port = ["--port", String(server.port)];

  const list = await runIn(here, ["list", ...port]);
  assertMatch(
    list.stdout,
    /^ +2\.0 MiB {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}big file\.bin\n +- {2}.* {2}folder\/\n$/,
  );
  assertEquals([list.stderr, list.code], ["", 0]);
  assertEquals((await runIn(here, ["list", "", ...port])).stdout, list.stdout); // the top folder, too
  const json = await runIn(here, ["list", "folder", "--json", ...port]);
  const [entry = ""] = json.stdout.split("\n");
  assertEquals({ ...JSON.parse(entry), modified: "" }, {
    name: "small.txt",
    size: 5,
    modified: "",
    isFolder: false,
  });

  const got = await runIn(here, ["get", "big file.bin", ...port]);
  assertEquals(await here.read("big file.bin"), content);
  assertEquals([got.stdout, got.code], ["", 0]); // stdout is for data, and progress for terminals
  assertMatch(got.stderr, /^big file\.bin: 2\.0 MiB, .*\/s, sha256 [0-9a-f]{64}\n$/);
  assertStringIncludes(got.stderr, await sha256(content));
  const output = here.at("other name");
  const small = ["get", "folder/small.txt", "--output", output, ...port];
  const result = JSON.parse((await runIn(here, [...small, "--json"])).stdout);
  assertEquals([result.path, result.size, result.resumedFrom], [output, 5, 0]);
  assertEquals((await runIn(here, [...small, "--force", "--quiet"])).stderr, "");
  assertEquals(await here.text("other name"), "small");
  const hidden = await runIn(here, ["get", ".hidden", ...port]);
  assertEquals([hidden.stderr, hidden.code], ['Cannot get ".hidden": no such file\n', 1]);
  assertEquals(await here.names(), ["big file.bin", "other name"]);
  assertEquals(await server.stop("SIGTERM"), 0);
});

Deno.test("file_transfer refuses to overwrite without --force", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  await source.write("a.txt", "new");
  await here.write("a.txt", "precious");
  await using server = await startExample(PROGRAM, ["serve", source.path]);
  const args = ["get", "a.txt", "--port", String(server.port)];
  const refused = await runIn(here, args);
  assertEquals([refused.stderr, refused.code], ["Cannot write a.txt: it exists already\n", 1]);
  assertEquals(await here.text("a.txt"), "precious");
  assertEquals((await runIn(here, [...args, "--force"])).code, 0);
  assertEquals(await here.text("a.txt"), "new");
});

Deno.test("file_transfer stores files where --allow-upload says so", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const path = await here.write("a.txt", "content");
  {
    await using server = await startExample(PROGRAM, ["serve", source.path]);
    const { code, stderr } = await runIn(here, ["put", path, "--port", String(server.port)]);
    assertEquals([stderr, code], ['Cannot put "a.txt": the server does not allow it\n', 1]);
  }
  const upload = ["serve", source.path, "--allow-upload", "--quota", "10K"];
  await using server = await startExample(PROGRAM, upload);
  const port = ["--port", String(server.port)];
  assertEquals((await runIn(here, ["put", path, ...port])).code, 0);
  assertEquals((await runIn(here, ["put", path, "--name", "b.txt", ...port])).code, 0);
  assertEquals(await source.text("b.txt"), "content");
  const full = await runIn(here, ["put", path, "--name", "c.txt", ...port]);
  assertEquals([full.stderr, full.code], ['Cannot put "c.txt": the server takes no more\n', 1]);
  assertEquals(await source.names(), ["a.txt", "b.txt"]);
});

/** Passes on what a server sends, up to a number of bytes, then tells and holds its breath. */
const DAM = `
import socket, sys
server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client, _ = listener.accept()
server.sendall(client.recv(65536))
left = int(sys.argv[2])
try:
    while left:
        data = server.recv(min(left, 65536))
        client.sendall(data)
        left -= len(data)
    print("held", flush=True)
    sys.stdin.read()
except OSError:
    pass # the client was killed, as the test wants it
`;

/** Waits until a file is at least so long; the folder tells when something changes. */
async function untilAsLong(folder: Folder, name: string, length: number): Promise<void> {
  using watcher = Deno.watchFs(folder.path);
  const isThere = async () => {
    try {
      return (await Deno.stat(folder.at(name))).size >= length;
    } catch {
      return false;
    }
  };
  if (await isThere()) return;
  for await (const _ of watcher) if (await isThere()) return;
}

pythonTest("file_transfer get, killed in the middle, goes on where it stopped", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const content = noise(24 * MiB);
  await source.write("big", content);
  await using server = await startExample(PROGRAM, ["serve", source.path]);
  const output = here.at("copy");
  const get = (port: string) => ["get", "big", "--output", output, "--port", port];
  {
    await using dam = python(DAM, server.port, 16 * MiB);
    const args = exampleArgs(PROGRAM, get(await dam.line()));
    await using client = new Peer(Deno.execPath(), args);
    await untilAsLong(here, ".copy.tincan-part", 8 * MiB);
    client.kill("SIGKILL");
    await client.status;
  }
  assertEquals(await here.names(), [".copy.tincan-note", ".copy.tincan-part"]);
  const { size } = await Deno.stat(here.at(".copy.tincan-part"));
  const { code, stderr } = await runExample(PROGRAM, get(String(server.port)));
  assertEquals(code, 0, stderr);
  assert(size >= 8 * MiB);
  assertStringIncludes(stderr, `resumed after ${(size / MiB).toFixed(1)} MiB`);
  assertStringIncludes(stderr, await sha256(content));
  assertEquals(await Deno.readFile(output), content);
  assertEquals(await here.names(), ["copy"]);
});

pythonTest(
  "file_transfer get says in one line that the server is gone, and goes on with the next",
  async () => {
    await using source = await Folder.make();
    await using here = await Folder.make();
    const content = noise(16 * MiB);
    await source.write("big", content);
    const get = (port: number | string) => {
      return runExample(PROGRAM, ["get", "big", "--output", here.at("x"), "--port", String(port)]);
    };
    {
      const server = await startExample(PROGRAM, ["serve", source.path]);
      await using dam = python(DAM, server.port, 8 * MiB);
      const getting = get(await dam.line());
      await dam.line(); // held
      await server[Symbol.asyncDispose](); // by SIGKILL
      dam.kill("SIGKILL");
      const { code, stdout, stderr } = await getting;
      assertMatch(
        stderr,
        /^Cannot get "big": the other side (ended|broke off) after .* are kept, the same command resumes it\n$/,
      );
      assertEquals([stdout, code], ["", 1]);
      assertEquals((await here.names()).includes("x"), false);
    }
    await using server = await startExample(PROGRAM, ["serve", source.path]);
    const { code, stderr } = await get(server.port);
    assertEquals(code, 0);
    assertStringIncludes(stderr, "resumed after");
    assertEquals(await here.read("x"), content);
  },
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  pythonTest(`file_transfer get keeps what came on ${signal} and exits 130`, async () => {
    await using source = await Folder.make();
    await using here = await Folder.make();
    await source.write("big", noise(8 * MiB));
    await using server = await startExample(PROGRAM, ["serve", source.path]);
    await using dam = python(DAM, server.port, 4 * MiB);
    const output = ["--output", here.at("x"), "--port", await dam.line()];
    await using client = new Peer(
      Deno.execPath(),
      exampleArgs(PROGRAM, ["get", "big", ...output]),
      {
        stderr: "null",
      },
    );
    await untilAsLong(here, ".x.tincan-part", MiB);
    client.kill(signal);
    assertEquals((await client.status).code, 130);
    assertEquals(await here.names(), [".x.tincan-note", ".x.tincan-part"]);
  });
}

Deno.test("file_transfer put, interrupted, says that nothing is kept", async () => {
  await using here = await Folder.make();
  const path = await here.write("big", noise(8 * MiB));
  const begun = Promise.withResolvers<void>();
  await using server = serveLies(async (conn) => {
    await conn.write(`OK ${8 * MiB} 0 -\n`);
    await conn.readExactly(MiB);
    begun.resolve();
    await conn.closed;
  });
  const client = new Deno.Command(Deno.execPath(), {
    args: exampleArgs(PROGRAM, ["put", path, "--port", String(server.port)]),
    stderr: "piped",
  }).spawn();
  await begun.promise;
  client.kill("SIGINT");
  const { code, stderr } = await client.output();
  assertEquals(new TextDecoder().decode(stderr), "interrupted; the server keeps nothing of it\n");
  assertEquals(code, 130);
  await server.shutdown({ timeout: 0 });
});

Deno.test("file_transfer get, eight at once, each whole", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const content = noise(8 * MiB);
  await source.write("big", content);
  await using server = await startExample(PROGRAM, ["serve", source.path]);
  const results = await Promise.all(Array.from({ length: 8 }, (_, index) => {
    const output = here.at(`copy${index}`);
    const args = ["get", "big", "--output", output, "--port", String(server.port)];
    return runExample(PROGRAM, args);
  }));
  for (const [index, { code, stderr }] of results.entries()) {
    assertEquals(code, 0, stderr);
    assertEquals(await here.read(`copy${index}`), content);
  }
});

/** Runs a command and tells the most memory it had, in bytes. */
const MEASURE = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
`;

pythonTest("file_transfer get brings a sparse file of 600 MiB in little memory", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const path = await source.write("sparse", "begin");
  await Deno.truncate(path, 600 * MiB);
  await using server = await startExample(PROGRAM, ["serve", source.path]);
  const output = here.at("sparse");
  const args = exampleArgs(PROGRAM, [
    "get",
    "sparse",
    "--output",
    output,
    "--port",
    `${server.port}`,
  ]);
  const { stdout, stderr } = await run("python3", ["-c", MEASURE, Deno.execPath(), ...args]);
  const [code, memory] = stdout.trim().split(" ").map(Number);
  assertEquals(code, 0, stderr);
  assertEquals((await Deno.stat(output)).size, 600 * MiB);
  assert((memory ?? Infinity) < 400 * MiB, `the client took ${memory} bytes`);
  const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
  const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
  assert(peak < 400 * MiB, `the server took ${peak} bytes`);
});

networkTest("file_transfer get says in one line that the disk is full", async () => {
  const script = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"';
  const isolated = (folder: string, command: string[]) =>
    run("unshare", ["-Urm", "sh", "-c", script, folder, ...command]);
  await using source = await Folder.make();
  await using here = await Folder.make();
  if ((await isolated(here.path, ["true"])).code !== 0) return; // this machine has no namespaces
  await source.write("big", noise(8 * MiB));
  await using server = await startExample(PROGRAM, ["serve", source.path]);
  const args = ["get", "big", "--output", here.at("x"), "--port", String(server.port)];
  const command = [Deno.execPath(), ...exampleArgs(PROGRAM, args)];
  const listing = ["sh", "-c", '"$@"; code=$?; ls -A "$0"; exit $code', here.path, ...command];
  const { code, stdout, stderr } = await isolated(here.path, listing);
  assertMatch(stderr, /^Cannot write \S+: no space left on device; [^\n]* are kept, [^\n]*\n$/);
  assertEquals([stdout, code], [".x.tincan-note\n.x.tincan-part\n", 1]);
});

Deno.test("file_transfer get says in one line that a file is not readable", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  const path = await source.write("locked", "content");
  const permissions = ["--no-prompt", "--allow-net", "--allow-read", `--deny-read=${path}`];
  await using server = await startExample(PROGRAM, ["serve", source.path], permissions);
  const { code, stderr } = await runIn(here, ["get", "locked", "--port", String(server.port)]);
  assertEquals(stderr, 'Cannot get "locked": the server may not read it\n');
  assertEquals([code, await here.names()], [1, []]);
});

pythonTest("file_transfer list makes names of others harmless", async () => {
  await using here = await Folder.make();
  const lie = `
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
client, _ = listener.accept()
client.recv(100)
body = "1 - a\\u202etxt.exe\\u2066\\n".encode()
client.sendall(b"OK %d 0 -\\n%sOK -\\n" % (len(body), body))
`;
  await using liar = python(lie);
  const { stdout, code } = await runIn(here, ["list", "--port", await liar.line()]);
  assertEquals(stdout.trim().replaceAll(/ +/g, " "), "1 B a<U+202E>txt.exe<U+2066>");
  assertEquals(code, 0);
});

/** Runs a command on a terminal of its own and passes on what it shows there. */
const TERMINAL = "import pty, sys; pty.spawn(sys.argv[1:])";

pythonTest("file_transfer get shows rate and time left on a terminal", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  await source.write("big", noise(32 * MiB));
  await using server = await startExample(PROGRAM, ["serve", source.path]);
  const output = ["--output", here.at("x"), "--port", String(server.port)];
  const args = exampleArgs(PROGRAM, ["get", "big", ...output]);
  const { stdout } = await run("python3", ["-c", TERMINAL, Deno.execPath(), ...args]);
  assertMatch(stdout, /100%.* 32\.0 MiB of 32\.0 MiB .*\/s .* left/);
  assertMatch(stdout, /x: 32\.0 MiB, .*sha256 [0-9a-f]{64}/);
});

Deno.test("file_transfer says in one line what is wrong, and exits 1", async () => {
  await using here = await Folder.make();
  const cases: [string[], string][] = [
    [
      ["serve", here.at("nowhere")],
      `Cannot serve ${here.at("nowhere")}: no such file or directory\n`,
    ],
    [
      ["serve", await here.write("file", "")],
      `Cannot serve ${here.at("file")}: it is not a folder\n`,
    ],
    [["get", "x", "--port", "1"], "Cannot connect to 127.0.0.1:1: connection refused\n"],
    [["list", "--port", "1"], "Cannot connect to 127.0.0.1:1: connection refused\n"],
    [["put", here.at("nothing")], `Cannot read ${here.at("nothing")}: no such file or directory\n`],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runIn(here, args);
    assertEquals([stderr.replace(/: (stat|open|realpath) .*\n$/, "\n"), stdout, code], [
      message,
      "",
      1,
    ]);
  }
});

const USAGE_ERRORS: [string[], RegExp][] = [
  [[], /^serve needs a folder: serve DIR\n/],
  [["get"], /^get needs a name: get NAME\n/],
  [["put"], /^put needs a file: put FILE\n/],
  [["get", "a", "b"], /^Unexpected argument "b"\n/],
  [["fetch", "a"], /^Unknown command "fetch": expected serve or list or get or put\n/],
  [["get", "a", "--checksum", "md5"], /^Option --checksum must be .*"md5"\n/],
  [["get", "a", "--output", "-"], /^Option --output must be a file/],
  [["serve", ".", "--quota", "much"], /^Option --quota must be a size .*"much"\n/],
  [["get", "a", "--port", "0"], /^Option --port must be a whole number from 1 to 65535/],
];

Deno.test("file_transfer tells usage errors, and exits 2", async () => {
  const results = await Promise.all(USAGE_ERRORS.map(([args]) => runExample(PROGRAM, args)));
  for (const [index, { code, stdout, stderr }] of results.entries()) {
    assertMatch(stderr, USAGE_ERRORS[index]![1]);
    assertEquals([stdout, code], ["", 2]);
  }
});

Deno.test("file_transfer --help explains every option on stdout", async () => {
  const { code, stdout } = await runExample(PROGRAM, ["--help"]);
  const options = ["hostname", "port", "help", "hidden", "allow-upload", "allow-replace", "quota"];
  options.push("max-entries", "quiet", "json", "output", "name", "force", "checksum", "restart");
  for (const option of options) assertStringIncludes(stdout, `--${option}`);
  assertEquals(code, 0);
});

Deno.test("file_transfer needs no permissions but net, read and write", async () => {
  await using source = await Folder.make();
  await using here = await Folder.make();
  await source.write("a.txt", "content");
  const reading = ["--no-prompt", "--allow-net", `--allow-read=${source.path}`];
  await using server = await startExample(PROGRAM, ["serve", source.path], reading);
  assertStringIncludes(await say(server.port, "GET 0 - sha256 a.txt\n"), "content");
  const script = exampleArgs(PROGRAM, []).at(-1) ?? "";
  const permissions = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write"];
  const args = ["get", "a.txt", "--output", here.at("x"), "--port", String(server.port)];
  const { code, stderr } = await run(Deno.execPath(), ["run", ...permissions, script, ...args]);
  assertEquals(code, 0, stderr);
  assertEquals(await here.text("x"), "content");
});
