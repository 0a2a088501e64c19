import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { TextLineStream } from "@std/streams";
import { Shell } from "../cli/_tincan.ts";
import { testWith } from "../_util/peers.ts";
import { exampleArgs, type Finished, run, runExample, startExample } from "./_run.ts";

const ncTest = testWith("nc");
const ncatSocatTest = testWith("ncat", "socat");
const peersTest = testWith("nc", "python3");
const pythonTest = testWith("python3");

/** A relay program that is listening. */
interface RunningRelay extends AsyncDisposable {
  port: number;
  /** Waits for a line on stderr. */
  said(pattern: RegExp): Promise<string>;
  /** Ends it and answers with everything it said. */
  stop(signal?: "SIGINT" | "SIGTERM"): Promise<Finished>;
}

async function startRelay(to: number, args: string[] = []): Promise<RunningRelay> {
  const child = new Deno.Command(Deno.execPath(), {
    args: exampleArgs("relay.ts", ["--listen", "0", "--to", `127.0.0.1:${to}`, ...args]),
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const stdout = new Response(child.stdout).text();
  const said: string[] = [];
  const waiting = new Set<() => void>();
  const reading = (async () => {
    const lines = child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    );
    for await (const line of lines) {
      said.push(line);
      for (const look of waiting) look();
    }
  })();
  const find = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const line = said.find((one) => pattern.test(one));
        if (line === undefined) return;
        waiting.delete(look);
        resolve(line);
      };
      waiting.add(look);
      look();
      reading.then(() => reject(new Error(`the relay ended without saying ${pattern}`)));
    });
  let ended: Promise<Finished> | undefined;
  const stop = (signal: Deno.Signal) =>
    ended ??= (async () => {
      child.kill(signal);
      const [{ code }] = await Promise.all([child.status, reading]);
      return { code, stdout: await stdout, stderr: said.join("\n") };
    })();
  const port = Number(/:(\d+)$/.exec(await find(/^listening on /))?.[1]);
  return {
    port,
    said: find,
    stop: (signal = "SIGTERM") => stop(signal),
    async [Symbol.asyncDispose]() {
      await stop("SIGKILL");
    },
  };
}

ncTest("relay shows each read as a hexdump, and who came and how it ended", async () => {
  await using echo = await startExample("tcp_echo.ts", []);
  await using relay = await startRelay(echo.port);
  const { stdout } = await run("nc", ["-N", "127.0.0.1", String(relay.port)], "hello\n\x1b");
  assertEquals(stdout, "hello\n\x1b");
  await relay.said(/#1 closed/);
  const shown = await relay.stop();
  assertEquals(shown.code, 0);
  const row = "  00000000  68 65 6c 6c 6f 0a 1b                              |hello..|\n";
  assertMatch(shown.stdout, /^\d\d:\d\d:\d\d\.\d{3} #1 > 7 bytes\n/);
  assertStringIncludes(shown.stdout, `#1 > 7 bytes\n${row}`);
  assertStringIncludes(shown.stdout, `#1 < 7 bytes\n${row}`);
  assertMatch(shown.stderr, /#1 open: 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+\n/);
  assertMatch(shown.stderr, /#1 closed: the client ended first, > 7 bytes, < 7 bytes, \d\.\d+ s$/);
});

pythonTest("relay --framing shows where messages stick together and are cut", async () => {
  await using echo = await startExample("tcp_echo.ts", ["--exit", "never"]);
  await using relay = await startRelay(echo.port, ["--text", "--framing", "lines"]);
  const script = `
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"one\\ntwo\\nthr"); s.recv(99)
s.sendall(b"ee\\n"); s.recv(99)
s.close()
`;
  assertEquals((await run("python3", ["-c", script, String(relay.port)])).code, 0);
  await relay.said(/#1 closed/);
  const { stdout } = await relay.stop();
  const client = stdout.split("\n").filter((line) => !line.includes("<")).join("\n");
  assertStringIncludes(client, "#1 > 11 bytes\n  one\\n\n  two\\n\n  thr\n");
  assertStringIncludes(
    client,
    "  #1 > message 1 (4 bytes): one\n  #1 > message 2 (4 bytes): two\n",
  );
  assertStringIncludes(client, "  #1 > … 3 bytes of message 3, which continues\n");
  assertStringIncludes(client, "  #1 > message 3 (6 bytes, in 2 reads): three\n");
});

ncTest("relay --json and --capture write the same, and --read shows it again", async () => {
  const capture = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    await using echo = await startExample("tcp_echo.ts", []);
    await using relay = await startRelay(echo.port, ["--json", "--capture", capture]);
    await run("nc", ["-N", "127.0.0.1", String(relay.port)], "hello\n");
    const { stdout, stderr } = await relay.stop();
    const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(events.slice(0, 2).map(({ type, from, data }) => [type, from, data]), [
      ["open", undefined, undefined],
      ["data", "client", btoa("hello\n")],
    ]);
    assertEquals(events.at(-1).type, "close");
    assertEquals(stderr, `listening on 127.0.0.1:${relay.port}`);
    assertEquals(await Deno.readTextFile(capture), stdout);
    const again = await runExample("relay.ts", ["--read", capture, "--text"]);
    assertStringIncludes(again.stdout, "#1 > 6 bytes\n  hello\\n\n");
    assertStringIncludes(again.stderr, "#1 closed: ");
    const piped = await runExample("relay.ts", ["--read", "-", "--json"], stdout);
    assertEquals(piped.stdout, stdout);
  } finally {
    await Deno.remove(capture);
  }
});

/** Streams to whoever connects, for ever. */
const PYTHON_SOURCE = `
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    try:
        while True: c.sendall(b"x" * 65536)
    except OSError: c.close()
`;

/** Connects, reads a little, says so, and goes on reading. */
const PYTHON_READER = `
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
n = len(s.recv(65536)); print("reading", flush=True)
while n: n = len(s.recv(65536))
print("ended", flush=True)
`;

interface Child extends AsyncDisposable {
  line(): Promise<string | undefined>;
  kill(): void;
}

function python(script: string, ...args: string[]): Child {
  const child = new Deno.Command("python3", { args: ["-c", script, ...args], stdout: "piped" })
    .spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  let killed = false;
  const kill = () => {
    if (!killed) child.kill("SIGKILL");
    killed = true;
  };
  child.status.then(() => killed = true);
  return {
    line: async () => (await lines.read()).value,
    kill,
    async [Symbol.asyncDispose]() {
      kill();
      await lines.cancel();
      await child.status;
    },
  };
}

peersTest("relay survives kill -9 of the client and of the target", async () => {
  await using source = python(PYTHON_SOURCE);
  await using relay = await startRelay(Number(await source.line()), ["--quiet"]);
  {
    await using client = python(PYTHON_READER, String(relay.port));
    assertEquals(await client.line(), "reading");
    client.kill();
    assertMatch(await relay.said(/#1 closed/), /closed: by the client \(.*\), > 0 bytes/);
  }
  await using client = python(PYTHON_READER, String(relay.port));
  assertEquals(await client.line(), "reading");
  source.kill();
  assertEquals(await client.line(), "ended");
  assertMatch(await relay.said(/#2 closed/), /closed: (by )?the target /);
  await run("nc", ["-N", "127.0.0.1", String(relay.port)]);
  assertMatch(await relay.said(/#3 refused/), /Cannot connect to .*: connection refused$/);
  assertEquals((await relay.stop()).code, 0);
});

ncatSocatTest("relay carries socat and ncat, and every byte of 5 MB is in the dump", async () => {
  const data = new Uint8Array(5_000_000);
  for (let i = 0; i < data.length; i += 62_500) {
    crypto.getRandomValues(data.subarray(i, i + 62_500));
  }
  const file = await Deno.makeTempFile();
  const received = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, data);
    const target = new Deno.Command("socat", {
      args: ["-d", "-d", "-u", "TCP-LISTEN:0,bind=127.0.0.1", `OPEN:${received}`],
      stderr: "piped",
    }).spawn();
    const lines = target.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(
      new TextLineStream(),
    ).getReader();
    let port = NaN;
    while (Number.isNaN(port)) {
      const { value, done } = await lines.read();
      if (done) throw new Error("socat ended before it listened");
      port = Number(/listening on .* 127\.0\.0\.1:(\d+)/.exec(value)?.[1]);
    }
    await using relay = await startRelay(port);
    const send = `ncat --send-only 127.0.0.1 ${relay.port} < '${file}'`;
    const ncat = await run("sh", ["-c", send]);
    assertEquals(ncat.code, 0, ncat.stderr);
    await relay.said(/#1 closed/);
    const { stdout } = await relay.stop();
    await lines.cancel();
    await target.status;
    assert(equal(await Deno.readFile(received), data), "what arrived is not what was sent");
    assert(equal(fromHexdump(stdout, data.length), data), "the dump is not what was sent");
  } finally {
    await Deno.remove(file);
    await Deno.remove(received);
  }
});

/** The bytes that a dump shows, by their offsets. */
function fromHexdump(dump: string, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (
    const [, offset = "", hex = ""] of dump.matchAll(/^ {2}([0-9a-f]{8}) {2}([0-9a-f ]{48})/gm)
  ) {
    bytes.set(Uint8Array.fromHex(hex.replaceAll(" ", "")), parseInt(offset, 16));
  }
  return bytes;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`relay ends with exit 0 on ${signal} and still writes what it saw`, async () => {
    await using echo = await startExample("tcp_echo.ts", []);
    await using relay = await startRelay(echo.port, ["--text"]);
    using conn = await Deno.connect({ port: relay.port });
    await conn.write(new TextEncoder().encode("hello"));
    await conn.read(new Uint8Array(16));
    const { code, stdout, stderr } = await relay.stop(signal);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "#1 < 5 bytes\n  hello\n");
    assertStringIncludes(stderr, "#1 closed: the relay ended first");
  });
}

Deno.test("relay ends quietly when nobody reads its output any more", async () => {
  await using echo = await startExample("tcp_echo.ts", []);
  const command = [Deno.execPath(), ...exampleArgs("relay.ts", [])].map((word) => `'${word}'`);
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `{ ${
        command.join(" ")
      } --listen 0 --to 127.0.0.1:${echo.port}; echo "exit $?" >&2; } | head -n 1`,
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  const seen: string[] = [];
  let conn: Deno.TcpConn | undefined;
  for await (const line of lines) {
    seen.push(line);
    const port = /^listening on .*:(\d+)$/.exec(line)?.[1];
    if (port === undefined) continue;
    conn = await Deno.connect({ port: Number(port) });
    (async () => {
      // A line for head, and then more than the pipe's buffer holds.
      while (true) await conn.write(new Uint8Array(65_536));
    })().catch(() => {});
    (async () => {
      const buffer = new Uint8Array(65_536);
      while (await conn.read(buffer) !== null);
    })().catch(() => {});
  }
  conn?.close();
  const { stdout } = await child.output();
  assertMatch(new TextDecoder().decode(stdout), /^[\d:.]+ #1 > \d+ bytes\n$/);
  assertEquals(seen.at(-1), "exit 0");
});

Deno.test("relay's capture has what its output could not say any more", async () => {
  await using echo = await startExample("tcp_echo.ts", []);
  const capture = await Deno.makeTempFile({ suffix: ".jsonl" });
  const args = ["--listen", "0", "--to", `127.0.0.1:${echo.port}`, "--capture", capture];
  const child = new Deno.Command(Deno.execPath(), {
    args: exampleArgs("relay.ts", args),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const said = child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const port = Number(/:(\d+)$/.exec((await said.read()).value ?? "")?.[1]);
  await child.stdout.cancel();
  const conn = await Deno.connect({ port });
  await conn.write(new TextEncoder().encode("nobody sees this"));
  assertEquals((await child.status).code, 0);
  conn.close();
  await said.cancel();
  const events = (await Deno.readTextFile(capture)).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(events[1]?.type, "data", JSON.stringify(events));
  await Deno.remove(capture);
});

Deno.test("relay says in one line what fails, and exits 1", async () => {
  await using echo = await startExample("tcp_echo.ts", []);
  const inUse = await runExample("relay.ts", ["--listen", String(echo.port), "--to", "x:1"]);
  assertEquals(inUse.stderr, `Cannot listen on 127.0.0.1:${echo.port}: address already in use\n`);
  assertEquals(inUse.code, 1);
  const missing = await runExample("relay.ts", ["--read", "/no/such/file"]);
  assertEquals(missing.stderr, "Cannot read /no/such/file: no such file\n");
  assertEquals(missing.code, 1);
  const broken = await runExample("relay.ts", ["--read", "-"], "nonsense\n");
  assertMatch(broken.stderr, /^[^\n]+\n$/);
  assertEquals(broken.code, 1);
});

const USAGE_ERRORS: [string[], RegExp][] = [
  [[], /^Nowhere to listen: give --listen PORT\n/],
  [["--listen", "1"], /^Nowhere to relay to: give --to HOST:PORT\n/],
  [["--listen", "x", "--to", "a:1"], /^Option --listen must be a whole number/],
  [["--listen", "1", "--to", "a"], /^Option --to must be HOST:PORT, current value is "a"\n/],
  [["--listen", "1", "--to", "a:0"], /^Option --to must be a whole number from 1/],
  [["--listen", "1", "--to", "::1:80"], /^Option --to must be HOST:PORT/],
  [
    ["--listen", "1", "--to", "a:1", "--framing", "lins"],
    /^Unknown framing "lins": expected lines/,
  ],
  [["--listen", "1", "--to", "a:1", "--hex", "--json"], /^Cannot show both --hex and --json\n/],
  [["--listen", "1", "--to", "a:1", "b"], /^Unexpected argument "b"\n/],
  [["--listen", "7", "--to", "localhost:7"], /^Cannot relay to localhost:7: that is the relay/],
];
for (const [args, message] of USAGE_ERRORS) {
  Deno.test(`relay ${args.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await runExample("relay.ts", args);
    assertMatch(stderr, message);
    assertEquals(stdout, "");
    assertEquals(code, 2);
  });
}

ncTest(
  "relay --capture continues a file: other numbers, on a new line, one relay at a time",
  async () => {
    const capture = await Deno.makeTempFile({ suffix: ".jsonl" });
    try {
      await using echo = await startExample("tcp_echo.ts", []);
      for (const word of ["first", "second"]) {
        await using relay = await startRelay(echo.port, ["--quiet", "--capture", capture]);
        await run("nc", ["-N", "127.0.0.1", String(relay.port)], `${word}\n`);
        if (word === "first") {
          const args = ["--listen", "0", "--to", "127.0.0.1:1", "--capture", capture];
          const busy = await runExample("relay.ts", args);
          assertEquals(busy.stderr, `Cannot write ${capture}: another program is writing it\n`);
          assertEquals(busy.code, 1);
        }
        await relay.said(word === "first" ? /#1 closed/ : /#2 closed/);
        await relay.stop();
        if (word === "first") await Deno.writeTextFile(capture, '{"type":"da', { append: true });
      }
      const { stdout, stderr, code } = await runExample("relay.ts", ["--read", capture, "--json"]);
      assertEquals(code, 0);
      assertEquals(stderr, "Left out a record that was cut off, in line 7\n");
      const sent = stdout.trim().split("\n").map((line) => JSON.parse(line))
        .filter(({ type, from }) => type === "data" && from === "client");
      assertEquals(sent.map(({ id, data }) => [id, atob(data)]), [[1, "first\n"], [2, "second\n"]]);
    } finally {
      await Deno.remove(capture);
    }
  },
);

ncTest("relay --framing json shows and captures JSON as it was sent", async () => {
  await using echo = await startExample("tcp_echo.ts", []);
  await using relay = await startRelay(echo.port, ["--json", "--framing", "json"]);
  const sent = '{"id":9007199254740993,"n":1.0,"n":2}';
  await run("nc", ["-N", "127.0.0.1", String(relay.port)], `${sent}\n`);
  const { stdout } = await relay.stop();
  const messages = stdout.split("\n").filter((line) => line.includes('"type":"message"'));
  assertEquals(messages.length, 2);
  for (const line of messages) assert(line.endsWith(`,"value":${sent}}`), line);
  const again = await runExample("relay.ts", ["--read", "-", "--json"], stdout);
  assertEquals(again.stdout, stdout);
  const shown = await runExample("relay.ts", ["--read", "-", "--quiet"], stdout);
  assertStringIncludes(shown.stdout, `: ${sent}\n`);
});

ncTest("relay --framing fixed:5000000 writes what --read can read", async () => {
  await using echo = await startExample("tcp_echo.ts", []);
  await using relay = await startRelay(echo.port, ["--json", "--framing", "fixed:5000000"]);
  await run("sh", ["-c", `head -c 5000000 /dev/zero | nc -N 127.0.0.1 ${relay.port} >/dev/null`]);
  const { stdout } = await relay.stop();
  const { code, stderr, stdout: shown } = await runExample(
    "relay.ts",
    ["--read", "-", "--quiet"],
    stdout,
  );
  assertEquals(code, 0, stderr);
  assertMatch(shown, /#1 > message 1 \(5000000 bytes, in \d+ reads\): /);
});

Deno.test("relay ends a connection on which nothing passes for --idle seconds", async () => {
  using target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = ["--to", `127.0.0.1:${target.addr.port}`, "--quiet", "--idle", "200ms"];
  await using relay = await startExample("relay.ts", args);
  using client = await Deno.connect({ port: relay.port });
  using passed = await target.accept();
  const ended = (conn: Deno.Conn) => conn.read(new Uint8Array(1)).catch(() => null);
  assertEquals(await Promise.all([ended(client), ended(passed)]), [null, null]);
});

Deno.test("relay --listen takes HOST:PORT, too", async () => {
  const { code, stderr } = await runExample("relay.ts", ["--listen", "[::1]:x", "--to", "a:1"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Option --listen must be a whole number from 0 to 65535, current");
  await using relay = new Shell('exec $TINCAN relay --listen "[::1]:0" --to 127.0.0.1:1');
  await relay.shows(/^listening on \[::1\]:\d+$/m);
});
