// The web fetch against servers that do what they should, and against hostile ones.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { ClosedError, type TcpConnection } from "@tincan/net";
import {
  formatTrace,
  HttpError,
  type HttpErrorCode,
  httpFailure,
  httpGet,
  type HttpGetOptions,
  httpResponses,
  saveBody,
} from "@tincan/net/http";
import { join, latin1, pack, scripted } from "./_http.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

async function textOf(url: string, options?: HttpGetOptions): Promise<string> {
  await using response = await httpGet(url, options);
  return await response.text();
}

async function refused(
  code: HttpErrorCode,
  url: string,
  options?: HttpGetOptions,
): Promise<HttpError> {
  const error = await assertRejects(() => textOf(url, options), HttpError);
  assertEquals(error.code, code, error.message);
  assertEquals(httpFailure(error), code);
  return error;
}

Deno.test("http: asks as a client should", async () => {
  await using server = scripted(`${OK}Content-Length: 2\r\n\r\nhi`);
  assertEquals(await textOf(`${server.origin}/a%20b/\u00e4?q=1#part`), "hi");
  assertEquals(
    server.requests,
    [
      `GET /a%20b/%C3%A4?q=1 HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nUser-Agent: tincan\r\n` +
      "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nConnection: close\r\n\r\n",
    ],
  );
});

Deno.test("http: fields of the user come instead of ours or besides them", async () => {
  await using server = scripted(`${OK}Content-Length: 0\r\n\r\n`);
  const headers = [["Accept", "text/plain"], ["X-A", "1"], ["Host", "other"], [
    "X-A",
    "2",
  ]] as const;
  await textOf(server.origin, { headers, decode: false });
  assertEquals(
    server.requests[0],
    "GET / HTTP/1.1\r\nHost: other\r\nUser-Agent: tincan\r\nAccept: text/plain\r\n" +
      "X-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n",
  );
  for (
    const [name, value] of [["A b", "c"], ["A", "b\r\nC: d"], ["Content-Length", "5"], ["TE", "x"]]
  ) {
    await assertRejects(() => httpGet(server.origin, { headers: { [name!]: value! } }), TypeError);
  }
});

Deno.test("http: a user name and password become Basic authentication, and are shown nowhere", async () => {
  await using server = scripted((_, path) =>
    path === "/a" ? `${OK.replace("200", "302")}Location: /b\r\n\r\n` : `${OK}\r\nhi`
  );
  await using response = await httpGet(`http://us%C3%A9r:p%3Aw@127.0.0.1:${server.port}/a`);
  assertEquals(response.url, `${server.origin}/b`);
  assertEquals(await response.text(), "hi");
  const expected = `\r\nAuthorization: Basic ${
    new TextEncoder().encode("us\u00e9r:p:w").toBase64()
  }\r\n`;
  for (const request of server.requests) assertStringIncludes(request, expected);
});

Deno.test("http: the answer tells what came", async () => {
  await using server = scripted(`${CHUNKED}2\r\nhi\r\n0\r\nX-Sum: 7\r\n\r\n`);
  await using response = await httpGet(`${server.origin}/#there`);
  assertEquals([response.status, response.ok, response.url], [
    200,
    true,
    `${server.origin}/#there`,
  ]);
  assertEquals(response.remoteAddr, { transport: "tcp", hostname: "127.0.0.1", port: server.port });
  assertEquals([response.trailers, response.bodyUsed], [undefined, false]);
  await response.bytes();
  assertEquals(response.trailers?.get("x-sum"), "7");
  assertEquals(response.bodyUsed, true);
  await assertRejects(() => response.text(), TypeError, "read already");
});

Deno.test("http: text is decoded as Content-Type says", async () => {
  const head = (type: string) => `${OK}Content-Type: ${type}\r\n\r\n`;
  await using server = scripted((_, path) =>
    path === "/latin"
      ? join(head("text/html; charset=iso-8859-1"), "\xe4")
      : join(head("text/html; charset=no-such-thing"), new TextEncoder().encode("\u4f60"))
  );
  assertEquals(await textOf(`${server.origin}/latin`), "\u00e4");
  assertEquals(await textOf(`${server.origin}/`), "\u4f60");
});

Deno.test("http: what a server sends behind a response without a body is not listened to", async () => {
  // Handlers that answer HEAD as they answer GET are common, and so are 204s with a word in them.
  for (const [status, method] of [[200, "HEAD"], [204, "GET"], [304, "GET"]] as const) {
    await using server = scripted(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\nhello`);
    await using response = await httpGet(server.origin, { method });
    assertEquals([response.status, await response.text()], [status, ""]);
  }
  await using server = scripted(`${OK}Content-Length: 4\r\n\r\nhello`);
  await refused("malformed", server.origin); // while here one does not know which of the two is wrong
});

Deno.test("http: HEAD has no body", async () => {
  await using server = scripted(`${OK}Content-Length: 5\r\n\r\n`);
  await using response = await httpGet(server.origin, { method: "HEAD" });
  assertEquals(response.headers.get("content-length"), "5");
  assertEquals((await response.bytes()).length, 0);
  assertStringIncludes(server.requests[0] ?? "", "HEAD / HTTP/1.1\r\n");
});

Deno.test("http: a server that does not close behind the body keeps nobody waiting for long", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = scripted(async (conn) => {
    await conn.write(`${OK}Content-Length: 2\r\n\r\nhi`);
    await conn.read(new Uint8Array(1)).catch(() => {});
    ended.resolve();
  });
  assertEquals(await textOf(server.origin, { timeouts: { idle: 1e9 } }), "hi");
  await ended.promise;
});

Deno.test("http: IPv6 literals and default ports", async () => {
  await using listener = Deno.listen({ hostname: "::1", port: 0 });
  const serving = (async () => {
    using conn = await listener.accept();
    const buffer = new Uint8Array(1024);
    const n = await conn.read(buffer);
    await conn.write(latin1(`${OK}\r\nsix`));
    return new TextDecoder().decode(buffer.subarray(0, n ?? 0));
  })();
  const { port } = listener.addr;
  assertEquals(await textOf(`http://[::1]:${port}/`), "six");
  assertStringIncludes(await serving, `\r\nHost: [::1]:${port}\r\n`);
});

Deno.test("http: a name in another alphabet is looked up and asked for in its ASCII form", async () => {
  const error = await assertRejects(() => httpGet("http://b\u00fccher.invalid/"));
  assertEquals(httpFailure(error), "dns");
  assertStringIncludes((error as Error).message, "xn--bcher-kva.invalid");
});

Deno.test("http: what is no address is refused before anything is done", async () => {
  for (const url of ["ftp://x/", "//x", "http://", "http://a b/", "file:///etc/passwd"]) {
    await assertRejects(() => httpGet(url), TypeError, "Cannot fetch");
  }
});

// Redirects

Deno.test("http: follows redirects of every kind, relative and with fragments", async () => {
  const to: Record<string, string> = {
    "/1": "301 /2/x?q",
    "/2/x?q": "302 y",
    "/2/y": "303 ?z",
    "/2/y?z": "307 ../3",
    "/3": "308 //127.0.0.1:PORT/sp\xc3\xa4t%20e",
  };
  await using server = scripted((_, path) => {
    const [status, location] = (to[path] ?? "").split(" ");
    if (location === undefined || status === undefined) return `${OK}\r\nhere`;
    const target = location.replace("PORT", String(server.port));
    return latin1(`HTTP/1.1 ${status} Go\r\nLocation: ${target}\r\nContent-Length: 99\r\n\r\n`);
  });
  await using response = await httpGet(`${server.origin}/1#part`);
  assertEquals(response.url, `${server.origin}/sp%C3%A4t%20e#part`.replace("%C3%A4", "%c3%a4"));
  assertEquals(response.redirects.map(({ head }) => head.status), [301, 302, 303, 307, 308]);
  assertEquals(response.redirects[1]?.url, `${server.origin}/2/x?q#part`);
  assertEquals(await response.text(), "here");
});

Deno.test("http: keeps secrets from other origins, for good", async () => {
  await using other = scripted((_, path) =>
    `HTTP/1.1 302 Go\r\nLocation: ${first.origin}${path}back\r\n\r\n`
  );
  await using first = scripted((_, path) =>
    path === "/" ? `HTTP/1.1 302 Go\r\nLocation: ${other.origin}/\r\n\r\n` : `${OK}\r\nhi`
  );
  const headers = { Authorization: "secret", cookie: "secret", host: "secret", "X-Mine": "kept" };
  assertEquals(await textOf(first.origin, { headers }), "hi");
  assertStringIncludes(first.requests[0] ?? "", "secret");
  for (const request of [other.requests[0], first.requests[1]]) {
    assert(request !== undefined && !request.includes("secret"), request);
    assertStringIncludes(request, "X-Mine: kept");
  }
  assertStringIncludes(other.requests[0] ?? "", `Host: 127.0.0.1:${other.port}\r\n`);
});

Deno.test("http: redirects that lead nowhere good are refused", async () => {
  let location = "";
  await using server = scripted(() => `HTTP/1.1 302 Go\r\nLocation: ${location}\r\n\r\n`);
  for (location of ["", "http://", "ftp://x/", "file:///etc/passwd", "javascript:1", "//u:p@x/"]) {
    const { url } = await refused("bad_redirect", server.origin);
    assertEquals(url, `${server.origin}/`);
  }
  location = "/";
  await refused("redirect_loop", server.origin);
});

Deno.test("http: endless redirects end at the limit", async () => {
  let count = 0;
  await using server = scripted(() => `HTTP/1.1 302 Go\r\nLocation: /${++count}\r\n\r\n`);
  const error = await refused("too_many_redirects", server.origin);
  assertStringIncludes(error.message, "the limit of 20");
  assertEquals(count, 21);
  count = 0;
  await refused("too_many_redirects", server.origin, { maxRedirects: 0 });
  assertEquals(count, 1);
});

Deno.test("http: redirects can be looked at instead of followed; one without a place is a page", async () => {
  await using server = scripted((_, path) =>
    `HTTP/1.1 302 Go\r\n${path === "/" ? "Location: /a\r\n" : ""}\r\nbody`
  );
  assertEquals(await textOf(server.origin, { followRedirects: false }), "body");
  await using response = await httpGet(server.origin);
  assertEquals([response.status, await response.text()], [302, "body"]);
});

// Packed bodies

const PAGE = latin1("All work and no play makes Jack a dull boy. ".repeat(2000));

Deno.test("http: unpacks gzip and deflate, bare deflate, and one in the other", async () => {
  const packed: Record<string, Uint8Array> = {
    "gzip": await pack(PAGE, "gzip"),
    "X-GZIP": await pack(PAGE, "gzip"),
    "deflate": await pack(PAGE, "deflate"),
    "deflate,": await pack(PAGE, "deflate-raw"),
    "identity": PAGE,
    "deflate, gzip": await pack(await pack(PAGE, "deflate"), "gzip"),
  };
  await using server = scripted((_, path) => {
    const coding = decodeURIComponent(path.slice(1));
    return join(OK, `Content-Encoding: ${coding}\r\n\r\n`, packed[coding] ?? "");
  });
  for (const coding of Object.keys(packed)) {
    const url = `${server.origin}/${encodeURIComponent(coding)}`;
    assertEquals(await (await httpGet(url)).bytes(), PAGE, coding);
    assertEquals(await (await httpGet(url, { decode: false })).bytes(), packed[coding], coding);
  }
});

Deno.test("http: unpacks what comes byte by byte, and nothing from nothing", async () => {
  const gzip = await pack(latin1("slow"), "deflate");
  await using server = scripted(async (conn, path) => {
    await conn.write(`${OK}Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const byte of path === "/" ? gzip : []) {
      await conn.write(join("1\r\n", Uint8Array.of(byte), "\r\n"));
    }
    await conn.write("0\r\n\r\n");
  });
  assertEquals(await textOf(server.origin), "slow");
  assertEquals(await textOf(`${server.origin}/nothing`), "");
});

Deno.test("http: broken, truncated and unknown packing is named, wherever it is cut", async () => {
  let coding = "";
  let body: Uint8Array = PAGE;
  await using server = scripted(() =>
    join(OK, `Content-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`, body)
  );
  const short = latin1("hello, hello, hello");
  for (
    const [name, format] of [["gzip", "gzip"], ["deflate", "deflate"], [
      "deflate",
      "deflate-raw",
    ]] as const
  ) {
    const whole = await pack(short, format);
    coding = name;
    for (let cut = 1; cut < whole.length; cut++) {
      body = whole.subarray(0, cut);
      const { message } = await refused("bad_encoding", server.origin);
      assertStringIncludes(message, `broken or cut short as ${name}`);
    }
    body = join(whole, "more");
    await refused("bad_encoding", server.origin);
    body = whole.slice();
    body[body.length - 1]! ^= 1; // of the checksum, or of the end
    if (format !== "deflate-raw") await refused("bad_encoding", server.origin);
  }
  body = short;
  for (coding of ["gzip", "br", "zstd", "gzip, br", "gzip, gzip, gzip"]) {
    await refused("bad_encoding", server.origin);
  }
});

Deno.test("http: a packed body that the connection cuts short is a short body", async () => {
  const gzip = await pack(PAGE, "gzip");
  await using server = scripted(() =>
    join(
      OK,
      `Content-Encoding: gzip\r\nContent-Length: ${gzip.length}\r\n\r\n`,
      gzip.subarray(0, 50),
    )
  );
  await refused("short_body", server.origin);
});

Deno.test("http: a small body that unpacks to a large one stops at the limit", async () => {
  const bomb = await pack(new Uint8Array(64 * 1024 * 1024), "gzip");
  const twice = await pack(bomb, "gzip");
  await using server = scripted((_, path) =>
    path === "/"
      ? join(OK, "Content-Encoding: gzip\r\n\r\n", bomb)
      : join(OK, "Content-Encoding: gzip, gzip\r\n\r\n", twice)
  );
  for (const path of ["/", "/twice"]) {
    await using response = await httpGet(server.origin + path, {
      limits: { maxDecodedSize: 1_000_000 },
    });
    let size = 0;
    const error = await assertRejects(async () => {
      for await (const piece of response) size += piece.length;
    }, HttpError);
    assertEquals(error.code, "too_large");
    assert(size <= 1_000_000);
  }
});

Deno.test("http: at that limit nobody waits for a server that says nothing more", async () => {
  const bomb = await pack(new Uint8Array(1024 * 1024), "gzip");
  await using server = scripted(async (conn) => {
    await conn.write(join(OK, "Content-Encoding: gzip\r\n\r\n", bomb));
    await conn.read(new Uint8Array(1)).catch(() => {}); // until the client leaves
  });
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), 10_000);
  const options = { limits: { maxDecodedSize: 1000 }, timeouts: { idle: 0 }, signal: late.signal };
  await refused("too_large", server.origin, options);
  clearTimeout(timer);
  assertEquals(late.signal.aborted, false);
});

// Hostile servers

/** Writes `piece` again and again until the client has had enough; how much that was, in bytes. */
function endlessly(first: string, piece: string): {
  answer: (conn: TcpConnection) => Promise<void>;
  sent: Promise<number>;
} {
  const { promise, resolve } = Promise.withResolvers<number>();
  const bytes = latin1(piece.repeat(Math.ceil(65_536 / piece.length)));
  return {
    sent: promise,
    async answer(conn) {
      try {
        await conn.write(first);
        while (true) await conn.write(bytes);
      } catch {
        resolve(conn.stats().bytesSent);
      }
    },
  };
}

/** What the systems on both ends may hold of a stream, besides what was read. */
const SOCKET_BUFFERS = 16 * 1024 * 1024;

const ENDLESS: [
  name: string,
  first: string,
  piece: string,
  code: HttpErrorCode,
  HttpGetOptions?,
][] = [
  ["head of one line", `${OK}A: `, "b", "too_large"],
  ["head of many lines", OK, "A: b\r\n", "too_large"],
  ["head of interim heads", "", "HTTP/1.1 103 Hints\r\n\r\n", "too_large"],
  ["status line", "HTTP/1.1 200 ", "O", "too_large"],
  ["noise", "", "\0", "malformed"],
  ["flood of empty lines", "", "\r\n", "malformed"],
  ["chunk size", CHUNKED, "0", "too_large"],
  ["chunk extension", `${CHUNKED}1;`, "x", "too_large"],
  ["trailer section", `${CHUNKED}0\r\n`, "A: b\r\n", "too_large"],
  ["body", `${OK}\r\n`, "x", "too_large", { limits: { maxBodySize: 1_000_000 } }],
  ["body of tiny chunks", CHUNKED, "1\r\nx\r\n", "too_large", { limits: { maxBodySize: 100_000 } }],
  ["body behind its length", `${OK}Content-Length: 5\r\n\r\nhello`, "x", "malformed"],
];
for (const [name, first, piece, code, options] of ENDLESS) {
  Deno.test(`http: an endless ${name} is ${code}, and is not taken in`, async () => {
    const { answer, sent } = endlessly(first, piece);
    await using server = scripted(answer);
    await refused(code, server.origin, options);
    const bytes = await sent;
    assert(bytes < SOCKET_BUFFERS, `${bytes} bytes were taken`);
  });
}

const MALFORMED: [name: string, wire: string, code: HttpErrorCode][] = [
  ["no answer", "", "malformed"],
  ["half a head", `${OK}A: b\r\n`, "malformed"],
  ["another protocol", "220 mail.example ESMTP\r\n", "malformed"],
  ["a negative length", `${OK}Content-Length: -1\r\n\r\n`, "malformed"],
  ["lengths that differ", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, "malformed"],
  [
    "a length and chunks",
    `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "malformed",
  ],
  ["a bad chunk size", `${CHUNKED}-1\r\n\r\n`, "malformed"],
  ["a chunk size beyond numbers", `${CHUNKED}ffffffffffffffff\r\n`, "malformed"],
  ["a body longer than its length", `${OK}Content-Length: 2\r\n\r\nhix`, "malformed"],
  ["a body shorter than its length", `${OK}Content-Length: 5\r\n\r\nhi`, "short_body"],
  ["chunks without an end", `${CHUNKED}2\r\nhi\r\n`, "short_body"],
  ["a length over the limit", `${OK}Content-Length: ${2 ** 50}\r\n\r\n`, "too_large"],
];
for (const [name, wire, code] of MALFORMED) {
  Deno.test(`http: ${name} is ${code}`, async () => {
    await using server = scripted(wire);
    await refused(code, server.origin);
  });
}

/** Sends `piece` every few milliseconds, until the client has left. */
function dripping(first: string, piece: string) {
  return async (conn: TcpConnection) => {
    await conn.write(latin1(first));
    while (true) {
      await conn.write(piece);
      try {
        if (await conn.read(new Uint8Array(1), { timeout: 20 }) === null) return;
      } catch (error) {
        if (!(error instanceof Deno.errors.TimedOut)) return;
      }
    }
  };
}

const SLOW: [name: string, first: string, piece: string, HttpGetOptions, message: string][] = [
  ["silence", "", "", { timeouts: { head: 100 } }, "the head of the response was not complete"],
  [
    "a dripping head",
    OK,
    "A: b\r\n",
    { timeouts: { head: 200 } },
    "was not complete within 200 ms",
  ],
  [
    "dripping interim heads",
    "",
    "HTTP/1.1 102 P\r\n\r\n",
    { timeouts: { head: 200 } },
    "was not complete",
  ],
  ["a silent body", `${OK}\r\nx`, "", { timeouts: { idle: 100 } }, "nothing arrived within 100 ms"],
  [
    "a dripping body",
    `${OK}\r\n`,
    "x",
    { timeouts: { idle: 200, total: 20_000 }, limits: { minRate: 1000 } },
    "the least is 1000/s",
  ],
  [
    "a dripping chunk size",
    CHUNKED,
    "0",
    { timeouts: { idle: 200 } },
    "nothing arrived within 200 ms",
  ],
  [
    "a dripping body without end",
    `${OK}\r\n`,
    "x",
    { timeouts: { total: 300 } },
    "not finished within 300 ms",
  ],
  [
    "a dripping packed body",
    // A gzip head, and a stored block that says it is long.
    `${OK}Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\0\xff\xff\0\0`,
    "x",
    { timeouts: { total: 300 } },
    "not finished within 300 ms",
  ],
];
for (const [name, first, piece, options, message] of SLOW) {
  Deno.test(`http: ${name} is a time-out`, async () => {
    await using server = scripted(dripping(first, piece));
    const error = await assertRejects(() => textOf(server.origin, options), Deno.errors.TimedOut);
    assertStringIncludes(error.message, message);
    assertEquals(httpFailure(error), "timeout");
  });
}

Deno.test("http: the timeout 0 means now", async () => {
  await using silent = scripted(async (conn) => {
    for await (const _ of conn);
  });
  for (const timeouts of [{ connect: 0 }, { head: 0 }, { total: 0 }]) {
    await assertRejects(() => textOf(silent.origin, { timeouts }), Deno.errors.TimedOut);
  }
  await using body = scripted(dripping(`${OK}\r\nx`, ""));
  const response = await httpGet(body.origin, { timeouts: { idle: 0 } });
  await assertRejects(() => response.text(), Deno.errors.TimedOut);
});

Deno.test("http: options that do not exist, or are misplaced, name the right one", async () => {
  const fetched = (options: object) => httpGet("http://127.0.0.1:1/", options);
  const wrong: [() => unknown, string][] = [
    [
      () => fetched({ maxHeadSize: 5 }),
      '"maxHeadSize" of httpGet: did you mean "limits.maxHeadSize"',
    ],
    [
      () => fetched({ timeouts: { idel: 5 } }),
      '"timeouts.idel" of httpGet: did you mean "timeouts.idle"',
    ],
    [() => fetched({ limits: 5 }), 'option "limits" as an object'],
    [() => fetched({ method: "POST" }), 'option "method" as "GET" or "HEAD"'],
    [() => httpResponses({ methd: "GET" } as object), "methd"],
  ];
  for (const [call, message] of wrong) {
    const error = await assertRejects(async () => await call(), TypeError);
    assertStringIncludes(error.message, message);
  }
  await using server = scripted(`${OK}\r\nhello`);
  await using response = await httpGet(server.origin);
  await assertRejects(() => response.bytes({ maxsize: 5 } as object), TypeError, '"maxSize"');
  const progress = { onprogress: () => {} } as object;
  await assertRejects(() => saveBody(response, "/dev/null", progress), TypeError, '"onProgress"');
});

// Floods

Deno.test("http: a flood of tiny chunks stops no timer and no other fetch", async () => {
  await using flood = scripted(async (conn) => {
    const piece = latin1("1\r\nx\r\n".repeat(20_000));
    await conn.write(CHUNKED);
    while (true) await conn.write(piece);
  });
  await using other = scripted(`${OK}\r\nhello`);
  const response = await httpGet(flood.origin);
  const last = Promise.withResolvers<void>();
  let isOver = false;
  let size = 0;
  const reading = (async () => {
    for await (const piece of response) {
      size += piece.length;
      if (isOver) break;
    }
    last.resolve();
  })();
  for (let count = 0; count < 10; count++) {
    await new Promise((resolve) => setTimeout(resolve, 10)); // resolves only if timers fire
    assertEquals(await textOf(other.origin), "hello");
  }
  isOver = true;
  await last.promise;
  await reading;
  assert(size > 10, `${size}`);
});

// Codings that are not of the transfer

for (
  const [name, wire, options] of [
    ["to HEAD", `${OK}Content-Encoding: br\r\nContent-Length: 9\r\n\r\n`, { method: "HEAD" }],
    ["204", "HTTP/1.1 204 No Content\r\nContent-Encoding: br\r\n\r\n", {}],
    ["304", "HTTP/1.1 304 Not Modified\r\nContent-Encoding: br, zstd, x\r\n\r\n", {}],
    ["of no bytes", `${OK}Content-Encoding: br\r\nContent-Length: 0\r\n\r\n`, {}],
  ] as const
) {
  Deno.test(`http: the Content-Encoding of an answer ${name} means nothing`, async () => {
    await using server = scripted(wire);
    assertEquals(await textOf(server.origin, options), "");
  });
}

Deno.test("http: a file that is compressed itself is asked for, and kept, as it is", async () => {
  const packed = await pack(latin1("hello".repeat(100)), "gzip");
  const answer = (fields: string) => join(`${OK}Content-Encoding: gzip\r\n${fields}\r\n`, packed);
  await using server = scripted((_, path) =>
    answer(
      path === "/typed"
        ? "Content-Type: application/x-gzip\r\n"
        : path === "/named"
        ? 'Content-Disposition: attachment; filename="a.tar.gz"\r\n'
        : "Content-Type: application/x-tar\r\n",
    )
  );
  for (const path of ["/a.tar.gz", "/A.TGZ?x=1", "/a.svgz#part", "/typed", "/named"]) {
    await using response = await httpGet(server.origin + path);
    assertEquals(await response.bytes(), packed, path);
    const asks = server.requests.at(-1)?.includes("Accept-Encoding");
    assertEquals(asks, path.length < 7, path); // only of names that do not say it
  }
  for (const path of ["/a.tar", "/?a.gz", "/a.zip", "/a.gz/"]) {
    await using response = await httpGet(server.origin + path);
    assertEquals(await response.text(), "hello".repeat(100), path);
  }
});

Deno.test("http: other compressed files than gzip are kept, too", async () => {
  for (const [path, coding] of [["/a.tar.bz2", "x-bzip2"], ["/a.xz", "xz"], ["/a.Z", "compress"]]) {
    await using server = scripted(`${OK}Content-Encoding: ${coding}\r\n\r\nbytes`);
    assertEquals(await textOf(server.origin + path), "bytes");
    await refused("bad_encoding", server.origin);
  }
});

Deno.test("http: what was packed over and over to grow beyond all measure is refused", async () => {
  let bomb = await pack(new Uint8Array(2 ** 24), "gzip");
  bomb = await pack(bomb, "gzip");
  assert(bomb.length * 5_000 < 2 ** 24, `${bomb.length}`);
  await using server = scripted(join(`${OK}Content-Encoding: gzip, gzip\r\n\r\n`, bomb));
  let size = 0;
  const error = await assertRejects(async () => {
    for await (const piece of await httpGet(server.origin)) size += piece.length;
  }, HttpError);
  assertEquals(error.code, "too_large");
  assert(size <= 1024 * 1024 + bomb.length * 1_032, `${size}`);
  // What deflate packs as well as it can is no bomb.
  await using good = scripted(
    join(`${OK}Content-Encoding: gzip\r\n\r\n`, await pack(new Uint8Array(2 ** 24), "gzip")),
  );
  assertEquals((await (await httpGet(good.origin)).bytes()).length, 2 ** 24);
});

Deno.test("http: a gzip body of several members is one body", async () => {
  const members = await Promise.all(["one", "two"].map((text) => pack(latin1(text), "gzip")));
  await using server = scripted(join(`${OK}Content-Encoding: gzip\r\n\r\n`, ...members));
  assertEquals(await textOf(server.origin), "onetwo");
});

Deno.test("http: bytes() holds the bytes of tiny chunks, not the chunks", async () => {
  const count = 200_000;
  await using server = scripted(`${CHUNKED}${"1\r\nx\r\n".repeat(count)}0\r\n\r\n`);
  assertEquals((await (await httpGet(server.origin)).bytes()).length, count);
});

Deno.test("http: of two places to go to, none is gone to", async () => {
  const found = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n";
  await using server = scripted((_, path) =>
    path === "/two"
      ? `${found}Location: /a\r\nlocation: /b\r\n\r\n`
      : path === "/same"
      ? `${found}Location: /a,b\r\nLocation: /a,b\r\n\r\n`
      : `${OK}\r\n${path}`
  );
  const error = await refused("bad_redirect", `${server.origin}/two`);
  assertStringIncludes(error.message, '"/a": there is also one to "/b"');
  assertEquals(await textOf(`${server.origin}/same`), "/a,b");
  await using response = await httpGet(`${server.origin}/two`, { followRedirects: false });
  assertEquals(response.head.fields.slice(1), [["Location", "/a"], ["location", "/b"]]);
});

Deno.test("http: the charset is the one that Content-Type names, by its usual name", async () => {
  for (
    const [type, charset] of [
      ["text/html", "utf-8"],
      ["text/html; charset=ISO-8859-1", "windows-1252"],
      ["text/html;charset='shift_jis'", "shift_jis"],
      ['text/html; x=1; Charset="UTF-16LE"', "utf-16le"],
      ["text/html; charset=nonsense", "utf-8"],
    ] as const
  ) {
    await using server = scripted(`${OK}Content-Type: ${type}\r\n\r\n`);
    await using response = await httpGet(server.origin);
    assertEquals(response.charset, charset);
  }
});

// Failures of the network

Deno.test("http: DNS, refused and reset are told apart", async () => {
  assertEquals(httpFailure(await assertRejects(() => httpGet("http://nosuch.invalid/"))), "dns");
  assertEquals(httpFailure(await assertRejects(() => httpGet("http://127.0.0.1:1/"))), "refused");
  await using server = scripted((conn) => {
    conn.abort();
    return Promise.resolve();
  });
  const failure = httpFailure(await assertRejects(() => httpGet(server.origin)));
  assert(failure === "reset" || failure === "malformed", failure); // as the system ends it
  assertEquals(httpFailure(new Error("disk full")), "other");
});

Deno.test("http: a server without TLS is a TLS failure, one that says nothing a time-out", async () => {
  await using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `https://127.0.0.1:${listener.addr.port}/`;
  const speaking = (async () => {
    using conn = await listener.accept();
    await conn.write(latin1("HTTP/1.0 400 Bad\r\n\r\n"));
    while (await conn.read(new Uint8Array(1024)).catch(() => null) !== null);
  })();
  assertEquals(httpFailure(await assertRejects(() => httpGet(url))), "tls");
  await speaking;
  const accepting = listener.accept();
  const options = { timeouts: { connect: 100 } };
  assertEquals(httpFailure(await assertRejects(() => httpGet(url, options))), "timeout");
  (await accepting).close();
});

// Ending

Deno.test("http: the signal ends it while connecting, in the head and in the body", async () => {
  const reason = new Error("enough");
  await assertRejects(
    () => httpGet("http://127.0.0.1:1/", { signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  for (const wire of ["", `${OK}\r\nsome`]) {
    const controller = new AbortController();
    await using server = scripted(async (conn) => {
      await conn.write(wire);
      if (wire === "") controller.abort(reason);
      await conn.read(new Uint8Array(1)).catch(() => {});
    });
    await assertRejects(
      async () => {
        for await (const _ of await httpGet(server.origin, { signal: controller.signal })) {
          controller.abort(reason);
        }
      },
      Error,
      "enough",
    );
  }
});

Deno.test("http: leaving the loop, cancelling the stream and close() close the connection", async () => {
  const gone: Promise<unknown>[] = [];
  await using server = scripted((conn) => {
    gone.push(conn.closed);
    return (async () => {
      await conn.write(`${OK}\r\nsome`);
      await conn.read(new Uint8Array(1)).catch(() => {});
    })();
  });
  for await (const piece of await httpGet(server.origin)) {
    assertEquals(piece, latin1("some"));
    break;
  }
  const reader = (await httpGet(server.origin)).body.getReader();
  assertEquals((await reader.read()).value, latin1("some"));
  const pending = reader.read();
  await reader.cancel();
  assertEquals((await pending).done, true);
  const response = await httpGet(server.origin);
  const reading = response.bytes();
  await response.close();
  assertInstanceOf(await reading.catch((error) => error), ClosedError);
  await Promise.all(gone);
  assertEquals(gone.length, 3);
});

Deno.test("http: the stream of the body is as good as the loop", async () => {
  await using server = scripted(`${CHUNKED}3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n`);
  const response = await httpGet(server.origin);
  assertEquals(await new Response(response.body).text(), "onetwo");
  await using broken = scripted(`${CHUNKED}3\r\none\r\n`);
  const { body } = await httpGet(broken.origin);
  const error = await assertRejects(() => new Response(body).text(), HttpError);
  assertEquals(error.code, "short_body");
});

Deno.test("http: bytes() and text() hold no more than they may", async () => {
  await using server = scripted(`${OK}\r\nhello`);
  assertEquals((await (await httpGet(server.origin)).bytes({ maxSize: 5 })).length, 5);
  const response = await httpGet(server.origin);
  const error = await assertRejects(() => response.bytes({ maxSize: 4 }), HttpError);
  assertEquals(error.code, "too_large");
});

// Saving

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

Deno.test("http: a body is saved whole or not at all", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/page`;
  await using good = scripted(`${OK}\r\nnew page`);
  await using short = scripted(`${OK}Content-Length: 9\r\n\r\nhalf`);
  await assertRejects(async () => saveBody(await httpGet(short.origin), path), HttpError);
  assertEquals(await names(folder), []);
  await Deno.writeTextFile(path, "old page, longer", { mode: 0o640 });
  await assertRejects(async () => saveBody(await httpGet(short.origin), path), HttpError);
  assertEquals(await Deno.readTextFile(path), "old page, longer");
  await Deno.symlink("page", `${folder}/link`);
  assertEquals(await saveBody(await httpGet(good.origin), `${folder}/link`), 8);
  assertEquals(await Deno.readTextFile(path), "new page");
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o640);
  assertEquals(await names(folder), ["link", "page"]);
  await using response = await httpGet(good.origin);
  await assertRejects(() => saveBody(response, folder), Deno.errors.IsADirectory);
  assertEquals(await saveBody(response, "/dev/null"), 8);
  assertEquals((await Deno.stat("/dev/null")).isCharDevice, true);
  await Deno.remove(folder, { recursive: true });
});

// The wire

Deno.test("http: the wire is shown as it happens, escaped", async () => {
  await using server = scripted(`${CHUNKED}6\r\n\x1b[2Jh\n\r\n0\r\n\r\n`);
  let shown = "";
  await textOf(server.origin, { onTrace: (event) => shown += formatTrace(event) });
  shown = shown.replaceAll(String(server.port), "PORT").replace(/127\.0\.0\.1:\d+ to/, "HERE to");
  // The body may come in the same read as the head, or in another.
  assertEquals(
    shown.replace(/\d+ bytes sent, \d+ received/, "N sent"),
    `* connecting to 127.0.0.1:PORT
* connected HERE to 127.0.0.1:PORT
> GET / HTTP/1.1\\r\\n
> Host: 127.0.0.1:PORT\\r\\n
> User-Agent: tincan\\r\\n
> Accept: */*\\r\\n
> Accept-Encoding: gzip, deflate\\r\\n
> Connection: close\\r\\n
> \\r\\n
< HTTP/1.1 200 OK\\r\\n
< Transfer-Encoding: chunked\\r\\n
< \\r\\n
< 6\\r\\n
< \\x1b[2Jh\\n
< \\r\\n
< 0\\r\\n
< \\r\\n
* closed, N sent
`,
  );
});

Deno.test("http: other bytes are shown so that no terminal obeys them", () => {
  const show = (bytes: Uint8Array) => formatTrace({ type: "received", bytes }, { maxBytes: 12 });
  assertEquals(
    show(new TextEncoder().encode("\u4f60\u00e9\u202e\u0085\\")),
    "< \u4f60\u00e9\\u{202e}\\u{85}\\\\\n",
  );
  assertEquals(show(Uint8Array.of(0xff, 0x41, 0x7f, 9)), "< \\xffA\\x7f\\t\n");
  assertEquals(show(latin1("a".repeat(20))), `< ${"a".repeat(12)}\n< … 8 bytes more\n`);
});
