/** The standard streams, connected to real peers: bytes, endings, failures. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { pattern } from "../_util/random.ts";
import { freePort } from "../_util/ports.ts";
import { testWith } from "../_util/peers.ts";
import { inFolder, Shell, shell, tincan } from "./_tincan.ts";

const ncNcatTest = testWith("nc", "ncat");
const ncTest = testWith("nc");
const pythonTest = testWith("python3");
const socatTest = testWith("socat");

const limit = { timeout: 60_000 };
/** More than all buffers on the way hold. */
const SIZE = 32_000_000;

/** Two files of random bytes, `a` and `b`, and a check that they came across as `a2` and `b2`. */
async function withFiles(
  act: (folder: string, same: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a`, pattern(SIZE, 1));
    await Deno.writeFile(`${folder}/b`, pattern(SIZE, 2));
    await act(folder, async () => {
      const { stdout } = await shell('cd "$1"; sha256sum a a2 b b2', folder);
      const [a, a2, b, b2] = stdout.split("\n").map((line) => line.slice(0, 64));
      assertEquals([a2, b2], [a, b]);
      assert(a !== b && a?.length === 64);
    });
  });
}

const BOTH_WAYS: [string, string, string][] = [
  [
    "tincan connect and ncat -l",
    'ncat -v -l 127.0.0.1 "$2" < "$1/a" > "$1/b2"',
    '$TINCAN connect 127.0.0.1 "$2" < "$1/b" > "$1/a2"',
  ],
  [
    "nc and tincan listen",
    '$TINCAN listen < "$1/a" > "$1/b2"',
    'nc -N 127.0.0.1 "$2" < "$1/b" > "$1/a2"',
  ],
  [
    "ncat --ssl and tincan listen --tls",
    '$TINCAN listen --tls --cert "$CERT" --key "$KEY" < "$1/a" > "$1/b2"',
    'ncat --ssl 127.0.0.1 "$2" < "$1/b" > "$1/a2"',
  ],
  [
    "tincan connect --tls --ca and tincan listen --tls",
    '$TINCAN listen --tls --cert "$CERT" --key "$KEY" < "$1/a" > "$1/b2"',
    '$TINCAN connect --tls --ca "$CA" localhost "$2" < "$1/b" > "$1/a2"',
  ],
  [
    "tincan connect --tls --insecure and tincan listen --tls",
    '$TINCAN listen --tls --cert "$CERT" --key "$KEY" < "$1/a" > "$1/b2"',
    '$TINCAN connect --tls --insecure localhost "$2" < "$1/b" > "$1/a2"',
  ],
];
for (const [name, server, client] of BOTH_WAYS) {
  ncNcatTest(
    `${name} carry 32 MB both ways unchanged`,
    limit,
    () =>
      withFiles(async (folder, same) => {
        await using listening = new Shell(server, folder, freePort());
        const port = await listening.port();
        const { code, stderr } = await shell(client, folder, port);
        assertEquals([code, stderr], [0, ""]);
        const { code: serverCode } = await listening.end();
        assertEquals(serverCode, 0, listening.stderr);
        await same();
      }),
  );
}

for (
  const [name, server, client] of [
    [
      "tincan connect --unix and socat",
      'socat -t 30 "UNIX-LISTEN:$1/socket" "OPEN:$1/a,rdonly!!CREATE:$1/b2"',
      '$TINCAN connect --unix "$1/socket" < "$1/b" > "$1/a2"',
    ],
    [
      "socat and tincan listen -U",
      '$TINCAN listen -U "$1/socket" < "$1/a" > "$1/b2"',
      'socat -t 30 "OPEN:$1/b,rdonly!!CREATE:$1/a2" "UNIX-CONNECT:$1/socket"',
    ],
  ] as const
) {
  socatTest(
    `${name} carry 32 MB both ways unchanged`,
    limit,
    () =>
      withFiles(async (folder, same) => {
        await using listening = new Shell(server, folder);
        const ready = 'until [ -S "$1/socket" ]; do sleep 0.02; done;';
        const { code, stderr } = await shell(`${ready} ${client}`, folder);
        assertEquals([code, stderr], [0, ""]);
        assertEquals((await listening.end()).code, 0, listening.stderr);
        await same();
        const { stdout } = await shell('ls "$1"', folder);
        assertEquals(stdout, "a\na2\nb\nb2\n"); // and no socket
      }),
  );
}

Deno.test(
  "HOST PORT, HOST:PORT, [ADDRESS]:PORT, PORT and the options all say where",
  limit,
  async () => {
    for (
      const [listen, connect] of [
        [["::1", "0"], (port: number) => [`[::1]:${port}`]],
        [["localhost:0"], (port: number) => ["localhost", `${port}`]],
        [[], (port: number) => [`${port}`]],
        [["--port", "0"], (port: number) => ["--hostname", "127.0.0.1", "--port", `${port}`]],
        [["--hostname", "127.0.0.1"], (port: number) => [`127.0.0.1:${port}`]],
      ] as const
    ) {
      await using listening = new Shell('exec $TINCAN listen "$@" < /dev/null', ...listen);
      const port = await listening.port();
      const { code } = await tincan(["connect", ...connect(port)], "hello");
      const { stdout } = await listening.end();
      assertEquals([code, stdout], [0, "hello"], listen.join(" "));
    }
  },
);

Deno.test("the end of the input is a half-close: the answer still comes", limit, async () => {
  await using server = new Shell("exec $TINCAN listen");
  await using client = new Shell('exec $TINCAN connect "$1"', await server.port());
  await client.type("question\n");
  await client.endInput();
  await server.shows(/^question\n$/);
  await server.type("answer\n");
  await client.shows(/^answer\n$/);
  await server.endInput();
  assertEquals([(await client.end()).code, (await server.end()).code], [0, 0]);
});

Deno.test(
  "the peer's end is a half-close: the rest of the input is still sent",
  limit,
  async () => {
    await using server = new Shell("exec $TINCAN listen");
    await using client = new Shell('exec $TINCAN connect "$1"', await server.port());
    await client.type("a");
    await server.shows(/^a$/);
    await client.endInput(); // the client's end
    await server.type("one ");
    await client.shows(/^one $/);
    await server.type("two");
    await client.shows(/^one two$/);
    await server.endInput();
    assertEquals((await client.end()).stdout, "one two");
  },
);

Deno.test("--quit ends with the peer, whatever the input still holds", limit, async () => {
  await using server = new Shell("exec $TINCAN listen");
  await using client = new Shell('exec $TINCAN connect --quit "$1"', await server.port());
  await server.type("bye\n");
  await server.endInput();
  assertEquals(await client.end(), { code: 0, stdout: "bye\n", stderr: "" }); // its input is open
});

pythonTest("--no-half-close waits for the peer to end", limit, async () => {
  const script = `
import socket
s = socket.create_server(("127.0.0.1", 0)); print("listening on :%d" % s.getsockname()[1], flush=True)
c = s.accept()[0]; assert c.recv(9) == b"ask\\n"
c.settimeout(0.3)
try: print("got", c.recv(9))
except TimeoutError: print("still open")
c.sendall(b"answer\\n"); c.close()
`;
  await using server = new Shell('exec python3 -c "$1"', script);
  const args = ["connect", `${await server.port()}`, "--no-half-close"];
  assertEquals((await tincan(args, "ask\n")).stdout, "answer\n");
  await server.shows(/still open/);
});

Deno.test("connect ends quietly when nobody reads its output any more", limit, async () => {
  await using server = new Shell("head -c 10000000 /dev/zero | $TINCAN listen");
  const script = '{ $TINCAN connect "$1" < /dev/zero; echo "exit $?" >&2; } | head -c 1 | wc -c';
  const { stdout, stderr } = await shell(script, await server.port());
  assertEquals([stdout.trim(), stderr], ["1", "exit 0\n"]);
});

Deno.test("listen ends quietly when nobody reads its output any more", limit, async () => {
  const script = '{ $TINCAN listen 0; echo "exit $?" >&2; } | head -c 1 | wc -c';
  await using server = new Shell(script);
  await shell('$TINCAN connect "$1" < /dev/zero', await server.port());
  assertMatch((await server.end()).stderr, /exit 0\n$/);
});

ncTest(
  "Ctrl-C and SIGTERM end connect and listen with 130",
  limit,
  async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      await using server = new Shell("exec $TINCAN listen");
      await using client = new Shell('exec $TINCAN connect -v "$1"', await server.port());
      await client.type("x");
      await server.shows(/^x$/);
      client.kill(signal);
      assertEquals((await client.end()).code, 130);

      await using second = new Shell("exec $TINCAN listen");
      await using held = new Shell('exec nc 127.0.0.1 "$1"', await second.port());
      await held.type("x");
      await second.shows(/^x$/);
      second.kill(signal);
      assertEquals((await second.end()).code, 130);

      await using idle = new Shell("exec $TINCAN listen");
      await idle.port();
      idle.kill(signal);
      assertEquals((await idle.end()).code, 130);
    }
  },
);

Deno.test("listen takes one client and refuses the next", limit, async () => {
  await using server = new Shell("exec $TINCAN listen");
  const port = await server.port();
  await using first = new Shell('exec $TINCAN connect "$1"', port);
  await first.type("here");
  await server.shows(/^here$/);
  const { code, stderr } = await tincan(["connect", `${port}`]);
  assertEquals([code, stderr], [1, `Cannot connect to 127.0.0.1:${port}: connection refused\n`]);
});

ncTest(
  "listen --keep-open shows what each client sends, and sends the input to all",
  limit,
  async () => {
    await using server = new Shell("exec $TINCAN listen -k -v");
    const port = await server.port();
    await using ada = new Shell('exec nc 127.0.0.1 "$1"', port);
    await using bob = new Shell('exec $TINCAN connect "$1"', port);
    await ada.type("from ada\n");
    await server.shows(/from ada\n/);
    await bob.type("from bob\n");
    await server.shows(/from bob\n/);
    await server.type("to all\n");
    await ada.shows(/^to all\n$/);
    await bob.shows(/^to all\n$/);
    await bob.endInput(); // it still listens, and gets what comes
    await server.shows(/client sends no more/);
    await server.type("more\n");
    await bob.shows(/more\n/);
    await server.endInput();
    assertEquals((await bob.end()).code, 0);
    const late = await tincan(["connect", `${port}`], "late\n");
    assertEquals(late.code, 0);
    await server.shows(/late\n/);
    server.kill("SIGINT");
    assertEquals((await server.end()).code, 0);
  },
);

ncTest("--timeout bounds the waiting: for a client, and for a word", limit, async () => {
  const nobody = await tincan(["listen", "--timeout", "0.1"]);
  assertEquals(nobody.code, 1);
  assertMatch(nobody.stderr, /^listening on .*\nNo one connected within 0.1 s\n$/);

  await using silent = new Shell("exec nc -v -l 127.0.0.1 0 2>&1");
  const [, port] = await silent.shows(/Listening on \S+ (\d+)/);
  await using client = new Shell('exec $TINCAN connect -w 0.3 "$1"', port ?? "");
  const { code, stderr } = await client.end();
  assertEquals(code, 1);
  assertMatch(stderr, /^Cannot read from .*: nothing was sent or received for 300 ms\n$/);
});

Deno.test("what fails is said in one line, with exit code 1", limit, async () => {
  await using server = new Shell("exec $TINCAN listen");
  const port = await server.port();
  const cases: [string[], RegExp][] = [
    [["connect", "no.such.host.invalid", "80"], /^Cannot resolve no\.such\.host\.invalid:80: /],
    [["connect", "--unix", "/no/such/socket"], /^Cannot connect to .*: no such socket\n$/],
    [["listen", `${port}`], /^Cannot listen on 127\.0\.0\.1:\d+: address already in use\n$/],
    [["connect", "--tls", "--ca", "/no/such", "80"], /^Cannot read \/no\/such: no such file\n$/],
    [["connect", "--tls", "--ca", "/dev/null", "80"], /^Cannot use \/dev\/null: it is not in PEM/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await tincan(args);
    assertMatch(stderr, message);
    assertMatch(stderr, /^[^\n]+\n$/);
    assertEquals([code, stdout], [1, ""]);
  }
});
