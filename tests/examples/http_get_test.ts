import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join, latin1, pack, scripted } from "../apps/_http.ts";
import { Terminal } from "../_util/terminal.ts";
import {
  closingServer,
  makeCertificates,
  type Nginx,
  nginx,
  nodeServer,
  pythonServer,
  startPrinting,
  type WebServer,
} from "../apps/_web_servers.ts";
import { testWith } from "../_util/peers.ts";
import { exampleArgs, run, runExample } from "./_run.ts";

const curlTest = testWith("curl", "python3");
const memoryTest = testWith("nginx", "openssl", "python3");
const nginxTest = testWith("nginx", "openssl");
const pythonTest = testWith("python3");
const tlsTest = testWith("openssl", "python3");
const webTest = testWith("curl", "nginx", "openssl");

const NUMBERS = new TextEncoder().encode(
  Array.from({ length: 50_000 }, (_, index) => `${index}\n`).join(""),
);

/** A folder with pages, and the servers that serve it. */
interface Web extends AsyncDisposable {
  folder: string;
}

async function web(): Promise<Web> {
  const folder = await Deno.makeTempDir({ prefix: "tincan_web_" });
  await Deno.writeFile(`${folder}/nums.txt`, NUMBERS);
  await Deno.writeFile(`${folder}/empty`, new Uint8Array(0));
  await Deno.writeFile(`${folder}/noise`, crypto.getRandomValues(new Uint8Array(65_536)));
  await Deno.writeFile(`${folder}/nums.gz`, await pack(NUMBERS, "gzip"));
  return {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** What a program writes to a file, under the name it is told. */
async function saved(
  folder: string,
  command: string,
  args: string[],
): Promise<Uint8Array | string> {
  const path = `${folder}/saved`;
  const { code, stderr } = await run(command, args.map((arg) => arg === "FILE" ? path : arg));
  if (code !== 0) return `${code}: ${stderr}`;
  const bytes = await Deno.readFile(path);
  await Deno.remove(path);
  return bytes;
}

/** Holds what we save against what curl saves. */
async function compare(folder: string, url: string, ours: string[] = [], theirs: string[] = []) {
  const expected = await saved(folder, "curl", ["-sL", ...theirs, "-o", "FILE", url]);
  const args = exampleArgs("http_get.ts", [url, "--output", "FILE", ...ours]);
  const actual = await saved(folder, Deno.execPath(), args);
  assert(expected instanceof Uint8Array, String(expected));
  assert(actual instanceof Uint8Array, `${url}: ${actual}`);
  assertEquals(actual, expected, url);
}

const SERVERS: [string, (folder: string) => Promise<WebServer>, string[]][] = [
  ["Python's http.server", pythonServer, ["/nums.txt", "/noise", "/empty", "/?list#part"]],
  ["Node's http with chunks and trailers", nodeServer, ["/nums.txt", "/noise", "/empty", "/moved"]],
  ["a closing HTTP/1.0 server", closingServer, ["/nums.txt", "/noise", "/empty", "/moved"]],
];
for (const [name, start, paths] of SERVERS) {
  curlTest(`http_get saves from ${name} what curl saves`, async () => {
    await using site = await web();
    await using server = await start(site.folder);
    if (name.startsWith("Python")) await Deno.mkdir(`${site.folder}/sub`);
    for (const path of paths) await compare(site.folder, server.origin + path);
    // To stdout too, and what is no page as well.
    const { code, stdout, stderr } = await runExample("http_get.ts", [`${server.origin}/nope`]);
    assertEquals(stdout, (await run("curl", ["-sL", `${server.origin}/nope`])).stdout);
    assertMatch(stderr, /^status: 404 .* for http:\/\/127\.0\.0\.1:\d+\/nope\n$/);
    assertEquals(code, 1);
  });
}

async function withNginx(body: (server: Nginx, folder: string) => Promise<void>): Promise<void> {
  await using site = await web();
  await makeCertificates(site.folder);
  await using server = await nginx(site.folder);
  await body(server, site.folder);
}

webTest(
  "http_get saves from nginx what curl saves: plain, redirected, packed, with TLS",
  async () => {
    await withNginx(async ({ origin, secure }, folder) => {
      const trust = ["--cacert", `${folder}/ca.pem`];
      for (const path of ["/nums.txt", "/noise", "/empty", "/moved", "/twice", "/zip/nums.txt"]) {
        await compare(folder, origin + path);
      }
      await compare(folder, `${secure}/nums.txt`, trust, trust);
      await compare(folder, `${secure}/zip/nums.txt`, trust, trust);
      await compare(folder, `${origin}/secure`, trust, trust);
      await compare(folder, `${secure}/plain`, [...trust, "--allow-downgrade"], trust);
      await compare(folder, `${origin}/packed/nums.gz`); // a file of its own, not a packed transfer
      await compare(folder, `${origin}/packed/nums.gz`, ["--no-decode"]);
      // It was really packed on its way.
      const { stderr } = await runExample("http_get.ts", [
        `${origin}/zip/nums.txt`,
        "-v",
        "-o",
        "/dev/null",
      ]);
      assertStringIncludes(stderr, "< Content-Encoding: gzip\\r\\n");
      assertStringIncludes(stderr, "< Transfer-Encoding: chunked\\r\\n");
    });
  },
);

webTest("http_get --include prints the heads that curl --include prints", async () => {
  await withNginx(async ({ origin }) => {
    const args = [`${origin}/twice`, "-H", "Accept-Encoding: identity"];
    const theirs = await run("curl", ["-siL", ...args]);
    const { code, stdout } = await runExample("http_get.ts", [...args, "--include"]);
    // We ask for the connection to be closed, curl does not.
    const same = (text: string) =>
      text.replace(/^(Connection|Date): .*$/gm, "$1: ").replace("keep-alive", "close");
    assertEquals(same(stdout), same(theirs.stdout));
    assertEquals(stdout.match(/^HTTP\/1\.1 .*$/gm), [
      "HTTP/1.1 302 Moved Temporarily",
      "HTTP/1.1 301 Moved Permanently",
      "HTTP/1.1 200 OK",
    ]);
    assertEquals(code, 0);
    const head = await runExample("http_get.ts", [`${origin}/nums.txt`, "--head"]);
    assertMatch(
      head.stdout,
      /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Content-Length: 288890\r\n(.*\r\n)*\r\n$/,
    );
  });
});

nginxTest(
  "http_get refuses what is not trusted, downgrades and loops, and saves nothing",
  async () => {
    await withNginx(async ({ origin, secure }, folder) => {
      const trust = ["--cacert", `${folder}/ca.pem`];
      const cases: [string[], RegExp][] = [
        [[`${secure}/nums.txt`], /^TLS: Cannot finish the TLS handshake with .*\n$/],
        [[secure.replace("localhost", "127.0.0.2"), ...trust], /^TLS: .*\n$/],
        [[secure.replace("https", "http")], /^status: 400 .*\n$/],
        [[origin.replace("http", "https")], /^TLS: .*\n$/],
        [[`${secure}/plain`, ...trust], /^bad redirect: .* from https to http.*\n$/],
        [[`${origin}/round`], /^redirect loop: .*\/round\n$/],
        [[`${origin}/twice`, "--max-redirects", "1"], /^too many redirects: .*\n$/],
        [[`${origin}/nums.txt`, "--max-size", "1000"], /^too large: .* 288890 bytes.*\n$/],
        [[`${origin}/zip/nums.txt`, "--max-size", "200000"], /^too large: .*\n$/],
        [[`${origin}/wait/nums.txt`, "--max-time", "0.2"], /^timeout: .* within 200 ms\n$/],
        [[`${origin}/nope`], /^status: 404 Not Found for .*\n$/],
      ];
      await Deno.mkdir(`${folder}/out`);
      for (const [args, expected] of cases) {
        const output = ["--output", `${folder}/out/page`];
        const { code, stdout, stderr } = await runExample("http_get.ts", [...args, ...output]);
        assertMatch(stderr, expected);
        assertEquals([code, stdout], [1, ""]);
        assertEquals(await Array.fromAsync(Deno.readDir(`${folder}/out`)), []);
      }
    });
  },
);

/** A page without a length, over TLS; the server says that this was the end, or it does not. */
const TLS_HTTP = `
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    conn = context.wrap_socket(server.accept()[0], server_side=True)
    whole = b" /whole " in conn.recv(4096)
    conn.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nsome")
    if whole:
        conn.unwrap()
    conn.close()
`;

tlsTest("http_get does not take a TLS connection that was cut for the end of a page", async () => {
  await using site = await web();
  await makeCertificates(site.folder);
  await using server = await startPrinting("python3", ["-c", TLS_HTTP], site.folder);
  const origin = server.origin.replace("http", "https");
  const trust = ["--cacert", `${site.folder}/ca.pem`];
  const whole = await runExample("http_get.ts", [`${origin}/whole`, ...trust]);
  assertEquals(whole, { code: 0, stdout: "some", stderr: "" });
  const cut = await runExample("http_get.ts", [`${origin}/cut`, ...trust]);
  assertEquals(cut.stderr, "short body: Cannot read the body: the connection ended early\n");
  assertEquals(cut.code, 1);
});

Deno.test("http_get names what the network does, in one line", async () => {
  await using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = silent.accept();
  const cases: [string[], RegExp][] = [
    [["http://nosuch.invalid/"], /^DNS: Cannot resolve nosuch\.invalid:80: .*\n$/],
    [["127.0.0.1:1"], /^refused: Cannot connect to 127\.0\.0\.1:1: connection refused\n$/],
    [["https://[::1]:1/"], /^(refused|unreachable): Cannot connect to \[::1\]:1: .*\n$/],
    [
      [`127.0.0.1:${silent.addr.port}`, "--timeout", "0.1"],
      /^timeout: .* the head of the response was not complete within 100 ms\n$/,
    ],
  ];
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await runExample("http_get.ts", args);
    assertMatch(stderr, expected);
    assertEquals([code, stdout], [1, ""]);
  }
  (await accepting).close();
});

Deno.test("http_get -v shows the wire on stderr while stdout has the page alone", async () => {
  await using server = scripted("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\x1b[2Jh\n");
  const { stdout, stderr } = await runExample("http_get.ts", ["-v", `${server.origin}/a`]);
  assertEquals(stdout, "\x1b[2Jh\n"); // whoever reads it is no terminal
  const expected = [
    /^\* connecting to 127\.0\.0\.1:\d+$/,
    /^\* connected 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+$/,
    /^> GET \/a HTTP\/1\.1\\r\\n$/,
    /^> \\r\\n$/,
    /^< HTTP\/1\.1 200 OK\\r\\n$/,
    /^< \\x1b\[2Jh\\n$/,
    /^\* closed, \d+ bytes sent, 44 received$/,
  ];
  const lines = stderr.trimEnd().split("\n");
  let at = -1;
  for (const line of expected) {
    const next = lines.findIndex((shown, index) => index > at && line.test(shown));
    assert(next > at, `${line} is missing in ${stderr}`);
    at = next;
  }
});

pythonTest("http_get escapes what a terminal might obey", async () => {
  await using server = scripted(
    `HTTP/1.1 200 OK\r\n\r\n\x1b[2Jh\u00e9\u202e\x07\r\n\ttext\r\n`,
  );
  const command = `${Deno.execPath()} ${exampleArgs("http_get.ts", [server.origin]).join(" ")}`;
  const python = `import pty, sys; pty.spawn(["sh", "-c", sys.argv[1]])`;
  const { stdout } = await run("python3", ["-c", python, command]);
  assertStringIncludes(stdout, "\\x1b[2Jh\u00e9\\u{202e}\\x07\r\n\ttext\r\n");
});

Deno.test("http_get says where it cannot write", async () => {
  await using server = scripted("HTTP/1.1 200 OK\r\n\r\nhello");
  const cases: [string, string][] = [
    ["/no/such/folder/page", "Cannot write /no/such/folder/page: no such file or directory\n"],
    ["/tmp", "Cannot write /tmp: it is a directory\n"],
    ["/dev/full", "Cannot write /dev/full: no space left on device\n"],
  ];
  for (const [path, expected] of cases) {
    const { code, stderr } = await runExample("http_get.ts", [server.origin, "-o", path]);
    assertEquals([code, stderr], [1, expected]);
  }
});

Deno.test("http_get ends with 130 when it is interrupted, and leaves no file", async () => {
  const folder = await Deno.makeTempDir();
  const begun = Promise.withResolvers<void>();
  await using server = scripted(async (conn) => {
    await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nsome");
    begun.resolve();
    await conn.read(new Uint8Array(1)).catch(() => {});
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: exampleArgs("http_get.ts", [server.origin, "--output", `${folder}/page`, "-v"]),
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await begun.promise;
  let shown = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stderr) {
    const before = shown;
    shown += decoder.decode(chunk);
    if (shown.includes("< some") && !before.includes("< some")) child.kill("SIGINT");
  }
  assertEquals((await child.status).code, 130);
  assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  await Deno.remove(folder);
});

/** Runs a command and tells how much memory it took at most, in bytes. */
async function peakMemory(command: string, args: string[]) {
  const script = `
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stderr=sys.stdout).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)`;
  const { stdout } = await run("python3", ["-c", script, command, ...args]);
  const [, said = "", code, bytes] = /^([^]*?)(\d+) (\d+)\n$/.exec(stdout) ?? [];
  return { said, code: Number(code), bytes: Number(bytes) };
}

const LITTLE_MEMORY = 300 * 1024 * 1024;

memoryTest("http_get saves a file larger than the memory it takes", async () => {
  await withNginx(async ({ origin }, folder) => {
    const size = 400 * 1024 * 1024;
    using file = await Deno.open(`${folder}/large`, { write: true, create: true });
    await file.truncate(size);
    const args = exampleArgs("http_get.ts", [`${origin}/large`, "-o", `${folder}/saved`]);
    const { code, bytes } = await peakMemory(Deno.execPath(), args);
    assertEquals(code, 0);
    assertEquals((await Deno.stat(`${folder}/saved`)).size, size);
    assert(bytes < LITTLE_MEMORY, `it took ${bytes} bytes`);
  });
});

pythonTest(
  "http_get stops a small page that unpacks to a large one, in little memory",
  async () => {
    const zeros = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        const piece = new Uint8Array(1024 * 1024);
        for (let count = 0; count < 500; count++) controller.enqueue(piece);
        controller.close();
      },
    });
    const bomb = new Uint8Array(
      await new Response(zeros.pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
    );
    await using server = scripted(async (conn) => {
      await conn.write(latin1("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"));
      await conn.write(bomb);
    });
    const options = ["--max-size", "450000000", "-o", "/dev/null"];
    const args = exampleArgs("http_get.ts", [server.origin, ...options]);
    const { said, code, bytes } = await peakMemory(Deno.execPath(), args);
    assertEquals(
      said,
      "too large: Cannot unpack the body: it is larger than the limit of 450000000 bytes\n",
    );
    assertEquals(code, 1);
    assert(bytes < LITTLE_MEMORY, `it took ${bytes} bytes`);
  },
);

pythonTest("http_get stops a page that was packed twice, in little memory", async () => {
  const pack = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) =>
    stream.pipeThrough(new CompressionStream("gzip"));
  let left = 400;
  const zeros = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(1024 * 1024));
      else controller.close();
    },
  });
  const bomb = new Uint8Array(await new Response(pack(pack(zeros))).arrayBuffer());
  await using server = scripted(
    join("HTTP/1.1 200 OK\r\nContent-Encoding: gzip,gzip\r\n\r\n", bomb),
  );
  const args = exampleArgs("http_get.ts", [server.origin, "-o", "/dev/null"]);
  const { said, code, bytes } = await peakMemory(Deno.execPath(), args);
  assertEquals(
    said,
    "too large: Cannot unpack the body: it is more than 1032 times what was sent\n",
  );
  assertEquals(code, 1);
  assert(bytes < LITTLE_MEMORY, `it took ${bytes} bytes`);
});

Deno.test("http_get saves a compressed file as it is under the name of one", async () => {
  const folder = await Deno.makeTempDir();
  const packed = await pack(latin1("hello"), "gzip");
  await using server = scripted(
    join(
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/x-tar\r\n\r\n",
      packed,
    ),
  );
  for (const [name, expected] of [["a.tar.gz", packed], ["a.tar", latin1("hello")]] as const) {
    const path = `${folder}/${name}`;
    const args = [`${server.origin}/latest`, "--output", path];
    assertEquals((await runExample("http_get.ts", args)).code, 0);
    assertEquals(await Deno.readFile(path), expected);
  }
  assertEquals(server.requests.map((head) => head.includes("Accept-Encoding")), [false, true]);
  await Deno.remove(folder, { recursive: true });
});

pythonTest("http_get shows text on a terminal in the encoding that it has", async () => {
  await using server = scripted(
    latin1(
      "HTTP/1.1 200 Tr\u00e8s bien\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n\r\n" +
        "caf\u00e9 \u009b2J\x1b[2J\n",
    ),
  );
  const args = exampleArgs("http_get.ts", [server.origin, "--include"]);
  await using terminal = new Terminal(Deno.execPath(), args);
  // In windows-1252, which is what the name stands for today, 0x9b is a quotation mark.
  await terminal.endsWith("caf\u00e9 \u203a2J\\x1b[2J");
  assertEquals(terminal.rows[0], "HTTP/1.1 200 Tr\u00e8s bien");
  await terminal.end();
  // For a program every byte is as it came.
  const { stdout } = await run("sh", [
    "-c",
    '"$@" | od -An -tx1',
    "sh",
    Deno.execPath(),
    ...exampleArgs("http_get.ts", [server.origin]),
  ]);
  assertEquals(stdout.replaceAll(/\s+/g, " ").trim(), "63 61 66 e9 20 9b 32 4a 1b 5b 32 4a 0a");
});

tlsTest("http_get says in one line what is wrong with certificates", async () => {
  await using site = await web();
  const { folder } = site;
  await makeCertificates(folder);
  await Deno.writeTextFile(`${folder}/text`, "hello");
  await Deno.writeTextFile(
    `${folder}/broken`,
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  );
  await Deno.writeTextFile(`${folder}/no-key`, "");
  const cases: [string, string][] = [
    ["/no/such", "Cannot read /no/such: no such file\n"],
    [folder, `Cannot read ${folder}: Is a directory\n`],
    [`${folder}/text`, `Cannot use ${folder}/text: it is not in PEM form\n`],
    [`${folder}/broken`, `Cannot use ${folder}/broken: its PEM form is broken\n`],
  ];
  for (const [path, expected] of cases) {
    const { code, stderr } = await runExample("http_get.ts", [
      "https://[::1]:1/",
      "--cacert",
      path,
    ]);
    assertEquals([code, stderr], [1, expected]);
  }

  const openssl = await run("sh", [
    "-c",
    `cd "$1" && openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -days 2 \
      -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:TRUE`,
    "sh",
    folder,
  ]);
  assertEquals(openssl.code, 0, openssl.stderr);
  await using server = await startPrinting("python3", ["-c", TLS_HTTP], folder);
  const { code, stderr } = await runExample("http_get.ts", [
    server.origin.replace("http://127.0.0.1", "https://localhost"),
    "--cacert",
    `${folder}/server.pem`,
  ]);
  assertMatch(
    stderr,
    /^TLS: Cannot finish the TLS handshake with localhost:\d+: the peer's certificate is not valid: it is an authority's, which must not be used as a server's own\n$/,
  );
  assertEquals(code, 1);
});

Deno.test("http_get can be interrupted while no one reads what it prints", async () => {
  const piece = latin1("x".repeat(100_000));
  const stuck = Promise.withResolvers<void>();
  await using server = scripted(async (conn) => {
    await conn.write("HTTP/1.1 200 OK\r\n\r\n");
    while (true) {
      // What the pipe and the sockets hold is full, and the program waits for its output.
      const full = setTimeout(stuck.resolve, 500);
      await conn.write(piece).finally(() => clearTimeout(full));
    }
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: exampleArgs("http_get.ts", [server.origin]),
    stdout: "piped",
    stderr: "null",
  }).spawn();
  await stuck.promise;
  child.kill("SIGINT");
  assertEquals((await child.status).code, 130);
  await child.stdout.cancel();
});

/** Sends a head, and then the same for ever. */
const ENDLESS = `
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
conn = server.accept()[0]
conn.recv(65536)
conn.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
piece = b"1\\r\\nx\\r\\n" * 10000
try:
    while True:
        conn.sendall(piece)
except OSError:
    pass
`;

for (const args of [["-o", "/dev/null"], ["--no-decode"], ["--json"]]) {
  pythonTest(
    `http_get ${args.join(" ")} can be interrupted while tiny chunks flood it`,
    async () => {
      await using server = await startPrinting("python3", ["-c", ENDLESS], ".");
      const child = new Deno.Command(Deno.execPath(), {
        args: exampleArgs("http_get.ts", [server.origin, "-v", ...args]),
        stdout: "null",
        stderr: "piped",
      }).spawn();
      let isInterrupted = false;
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        if (!isInterrupted && text.includes("< x")) {
          isInterrupted = true;
          child.kill("SIGINT");
        }
      }
      assertEquals((await child.status).code, 130);
    },
  );
}

const USAGE_ERRORS: [string[], RegExp][] = [
  [[], /^A URL is needed\n/],
  [["a", "b"], /^Unexpected argument "b"\n/],
  [["ftp://example.com/"], /^Cannot fetch "ftp:\/\/example.com\/": .*\n/],
  [["http://[::1/"], /^Cannot fetch .*\n/],
  [["a", "--outptu", "b"], /^Unknown option --outptu, did you mean --output\?\n/],
  [["a", "--output"], /^Option --output needs a value\n/],
  [["a", "-o"], /^Option -o needs a value\n/],
  [["a", "--output="], /^Option --output must be the name of a file, current value is ""\n/],
  [["a", "--timeout", "soon"], /^Option --timeout must be seconds.*"soon"\n/],
  [["a", "--max-redirects", "-1"], /^Option --max-redirects must be .*"-1"\n/],
  [["a", "--header", "nonsense"], /^Option --header must be 'Name: value'.*\n/],
  [["a", "--header", "Content-Length: 5"], /^Cannot send the field "Content-Length".*\n/],
];
for (const [args, message] of USAGE_ERRORS) {
  Deno.test(`http_get ${args.join(" ")} is a usage error`, async () => {
    const { code, stdout, stderr } = await runExample("http_get.ts", args);
    assertMatch(stderr, message);
    assertEquals([code, stdout], [2, ""]);
  });
}

Deno.test("http_get --help explains every option on stdout", async () => {
  const { code, stdout } = await runExample("http_get.ts", ["--help"]);
  const options =
    "output include head verbose header no-decode no-follow max-redirects allow-downgrade";
  for (const option of `${options} cacert timeout max-time max-size help`.split(" ")) {
    assertStringIncludes(stdout, `--${option}`);
  }
  assertEquals(code, 0);
});

Deno.test("http_get to stdout needs no permission but the network", async () => {
  await using server = scripted("HTTP/1.1 200 OK\r\n\r\nhello");
  const script = new URL("../../examples/http_get.ts", import.meta.url).pathname;
  const args = ["run", "--no-prompt", "--allow-net", script, server.origin];
  const { code, stdout, stderr } = await run(Deno.execPath(), args);
  assertEquals([code, stdout, stderr], [0, "hello", ""]);
});
