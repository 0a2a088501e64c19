// The response decoder, without a socket: every vector with every cut.
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { httpResponses, type HttpResponsesOptions } from "@tincan/net/http";
import { FrameError, frames } from "@tincan/net/framing";
import { everyCut, join, latin1 } from "./_http.ts";

interface Outcome {
  heads: number[];
  body: string;
  trailers: Record<string, string> | undefined;
  error: string | undefined;
  offset: number | undefined;
  remaining: string;
}

/** Decodes chunks, each in memory that is overwritten as soon as `push` returns. */
function decode(chunks: Iterable<Uint8Array>, options: HttpResponsesOptions): Outcome {
  const decoder = httpResponses(options).decoder();
  const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
  const outcome: Outcome = {
    heads: [],
    body: "",
    trailers: undefined,
    error: undefined,
    offset: undefined,
    remaining: "",
  };
  const emit: Parameters<typeof decoder.push>[1] = (part) => {
    if (part.type === "data") outcome.body += text(part.bytes);
    else if (part.type === "end") outcome.trailers = Object.fromEntries(part.trailers);
    else outcome.heads.push(part.head.status);
  };
  try {
    for (const chunk of chunks) {
      const borrowed = chunk.slice();
      try {
        decoder.push(borrowed, emit);
      } finally {
        borrowed.fill(0xee);
      }
    }
    decoder.end(emit);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    outcome.error = error.code;
    outcome.offset = error.offset;
    assertThrows(() => decoder.push(Uint8Array.of(1), emit), FrameError);
  }
  outcome.remaining = text(decoder.takeRemaining!());
  return outcome;
}

interface Vector extends HttpResponsesOptions {
  name: string;
  wire: string;
  heads?: number[];
  body?: string;
  trailers?: Record<string, string>;
  error?: string;
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const VECTORS: Vector[] = [
  { name: "a length", wire: `${OK}Content-Length: 5\r\n\r\nhello`, body: "hello" },
  { name: "a length of nothing", wire: `${OK}Content-Length: 0\r\n\r\n`, body: "" },
  { name: "the same length twice", wire: `${OK}Content-Length: 2, 2\r\n\r\nhi`, body: "hi" },
  {
    name: "the same length in two fields",
    wire: `${OK}Content-Length: 2\r\ncontent-length: 2\r\n\r\nhi`,
    body: "hi",
  },
  { name: "until the connection closes", wire: "HTTP/1.0 200 OK\r\n\r\nall\n", body: "all\n" },
  { name: "nothing until it closes", wire: "HTTP/1.0 200 OK\r\n\r\n", body: "" },
  { name: "no reason", wire: "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n!", body: "!" },
  { name: "lines that end in LF alone", wire: "HTTP/1.0 200 OK\nA: b\n\nx\r\n\n", body: "x\r\n\n" },
  { name: "mixed line ends", wire: "HTTP/1.1 200 OK\r\nContent-Length: 1\n\r\nx", body: "x" },
  {
    name: "a folded field",
    wire: `${OK}A: one\r\n\ttwo\r\nContent-Length:\r\n 3\r\n\r\nabc`,
    body: "abc",
  },
  {
    name: "chunks",
    wire: `${CHUNKED}5\r\nhello\r\n00A\r\n, world!!!\r\n0\r\n\r\n`,
    body: "hello, world!!!",
  },
  {
    name: "chunks with extensions and trailers",
    wire: `${CHUNKED}1;a=b;c="\\"; d"\r\nx\r\n1 \t;q\r\ny\r\n0;last\r\nX-Sum: 7\r\nB:\r\n\r\n`,
    body: "xy",
    trailers: { "x-sum": "7", b: "" },
  },
  {
    name: "interim heads in front",
    wire:
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
    heads: [100, 103, 200],
    body: "x",
  },
  {
    name: "204 has no body whatever its fields say",
    wire: "HTTP/1.1 204 None\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    heads: [204],
    body: "",
  },
  {
    name: "304 has none",
    wire: "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n",
    heads: [304],
    body: "",
  },
  {
    name: "the answer to HEAD has none",
    wire: `${OK}Content-Length: 5\r\n\r\n`,
    method: "HEAD",
    body: "",
  },
  { name: "nothing at all", wire: "", heads: [], error: "truncated" },
  { name: "half a head", wire: "HTTP/1.1 200 OK\r\nA: b\r\n", heads: [], error: "truncated" },
  { name: "half a prefix", wire: "HTT", heads: [], error: "truncated" },
  {
    name: "a short body",
    wire: `${OK}Content-Length: 5\r\n\r\nhell`,
    body: "hell",
    error: "truncated",
  },
  { name: "half a chunk", wire: `${CHUNKED}5\r\nhel`, body: "hel", error: "truncated" },
  { name: "no last chunk", wire: `${CHUNKED}1\r\nh\r\n`, body: "h", error: "truncated" },
  { name: "half a size", wire: `${CHUNKED}1`, body: "", error: "truncated" },
  { name: "no end of the trailers", wire: `${CHUNKED}0\r\nA: b\r\n`, body: "", error: "truncated" },
  { name: "another protocol", wire: "SSH-2.0-OpenSSH_9.2\r\n", heads: [], error: "corrupt" },
  { name: "another protocol, slowly", wire: "HTTQ", heads: [], error: "corrupt" },
  { name: "an empty line first", wire: `\r\n${OK}\r\n`, heads: [], error: "corrupt" },
  { name: "HTTP/2", wire: "HTTP/2.0 200 OK\r\n\r\n", heads: [], error: "corrupt" },
  { name: "a status of two digits", wire: "HTTP/1.1 20 OK\r\n\r\n", heads: [], error: "corrupt" },
  {
    name: "a status of four digits",
    wire: "HTTP/1.1 2000 OK\r\n\r\n",
    heads: [],
    error: "corrupt",
  },
  { name: "a status below 100", wire: "HTTP/1.1 099 OK\r\n\r\n", heads: [], error: "corrupt" },
  {
    name: "a reason with an escape",
    wire: "HTTP/1.1 200 \x1b[2J\r\n\r\n",
    heads: [],
    error: "corrupt",
  },
  { name: "switching protocols", wire: "HTTP/1.1 101 Go\r\n\r\n", heads: [], error: "corrupt" },
  { name: "space before the colon", wire: `${OK}A : b\r\n\r\n`, heads: [], error: "corrupt" },
  { name: "a field without a name", wire: `${OK}: b\r\n\r\n`, heads: [], error: "corrupt" },
  { name: "a line without a colon", wire: `${OK}hello\r\n\r\n`, heads: [], error: "corrupt" },
  {
    name: "a fold behind the status line",
    wire: `${OK} A: b\r\n\r\n`,
    heads: [],
    error: "corrupt",
  },
  { name: "a NUL in a value", wire: `${OK}A: b\0c\r\n\r\n`, heads: [], error: "corrupt" },
  { name: "a lone CR in a value", wire: `${OK}A: b\rC: d\r\n\r\n`, heads: [], error: "corrupt" },
  ...["-5", "+5", "5 5", "0x5", "5.0", "", "5,", "5, 6", "1e1", "99999999999999999999"].map((
    length,
  ) => ({
    name: `Content-Length: ${length}`,
    wire: `${OK}Content-Length: ${length}\r\n\r\nhello`,
    heads: [],
    error: "corrupt",
  })),
  {
    name: "two lengths that differ",
    wire: `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    heads: [],
    error: "corrupt",
  },
  {
    name: "a length and chunks",
    wire: `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    heads: [],
    error: "corrupt",
  },
  ...["gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked, identity"].map((
    coding,
  ) => ({
    name: `Transfer-Encoding: ${coding}`,
    wire: `${OK}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
    heads: [],
    error: "corrupt",
  })),
  {
    name: "chunks in HTTP/1.0",
    wire: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    heads: [],
    error: "corrupt",
  },
  ...["-1", "+1", "0x1", "g", "", " 1", "1 1", "1\n", "123456789abcdef", "1;a\x01b", "1\r"].map((
    size,
  ) => ({
    name: `a chunk size of ${JSON.stringify(size)}`,
    wire: `${CHUNKED}${size}\r\nx\r\n0\r\n\r\n`,
    body: "",
    error: "corrupt",
  })),
  {
    name: "a chunk size that ends in LF",
    wire: `${CHUNKED}1\nx\r\n0\r\n\r\n`,
    body: "",
    error: "corrupt",
  },
  {
    name: "a chunk longer than its size",
    wire: `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`,
    body: "x",
    error: "corrupt",
  },
  {
    name: "a chunk that ends in LF",
    wire: `${CHUNKED}1\r\nx\n0\r\n\r\n`,
    body: "x",
    error: "corrupt",
  },
  {
    name: "a trailer that is none",
    wire: `${CHUNKED}0\r\nhello\r\n\r\n`,
    body: "",
    error: "corrupt",
  },
  {
    name: "a trailer that ends in LF",
    wire: `${CHUNKED}0\r\nA: b\n\r\n`,
    body: "",
    error: "corrupt",
  },
  {
    name: "bytes behind the length",
    wire: `${OK}Content-Length: 2\r\n\r\nhiX`,
    body: "hi",
    trailers: {},
    error: "corrupt",
  },
  {
    name: "bytes behind the last chunk",
    wire: `${CHUNKED}0\r\n\r\nX`,
    body: "",
    trailers: {},
    error: "corrupt",
  },
  {
    name: "bytes behind the answer to HEAD",
    wire: `${OK}Content-Length: 2\r\n\r\nhi`,
    method: "HEAD",
    body: "",
    trailers: {},
    error: "corrupt",
  },
  {
    name: "a head too large",
    wire: `${OK}A: ${"b".repeat(50)}\r\n\r\n`,
    limits: { maxHeadSize: 60 },
    heads: [],
    error: "too_long",
  },
  {
    name: "interim heads too large together",
    wire: "HTTP/1.1 100 Go on\r\n\r\n".repeat(4),
    limits: { maxHeadSize: 60 },
    heads: [100, 100],
    error: "too_long",
  },
  {
    name: "too many fields",
    wire: `${OK}A: b\r\nA: b\r\nA: b\r\n\r\n`,
    limits: { maxFields: 2 },
    heads: [],
    error: "too_long",
  },
  {
    name: "a chunk extension too long",
    wire: `${CHUNKED}1;${"x".repeat(40)}\r\nx\r\n0\r\n\r\n`,
    limits: { maxChunkLine: 32 },
    body: "",
    error: "too_long",
  },
  {
    name: "a trailer section too large",
    wire: `${CHUNKED}0\r\n${"A: b\r\n".repeat(20)}\r\n`,
    limits: { maxHeadSize: 100 },
    body: "",
    error: "too_long",
  },
  {
    name: "a length over the limit",
    wire: `${OK}Content-Length: 5\r\n\r\nhello`,
    limits: { maxBodySize: 4 },
    body: "",
    error: "too_long",
  },
  {
    name: "chunks over the limit",
    wire: `${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
    limits: { maxBodySize: 4 },
    body: "he",
    error: "too_long",
  },
  {
    name: "a body without length over the limit",
    wire: `${OK}\r\nhello`,
    limits: { maxBodySize: 4 },
    body: "hell",
    error: "too_long",
  },
  {
    name: "a body of exactly the limit",
    wire: `${OK}\r\nhell`,
    limits: { maxBodySize: 4 },
    body: "hell",
  },
];

for (const { name, wire, method, limits, ...expected } of VECTORS) {
  Deno.test(`http response: ${name}`, () => {
    const bytes = latin1(wire);
    const options = { ...(method ? { method } : {}), ...(limits ? { limits } : {}) };
    const whole = decode([bytes], options);
    assertEquals(whole.heads, expected.heads ?? [200]);
    assertEquals(whole.body, expected.body ?? "");
    assertEquals(whole.error, expected.error);
    assertEquals(whole.trailers, expected.error ? expected.trailers : expected.trailers ?? {});
    if (whole.offset !== undefined) {
      assertEquals(whole.remaining, wire.slice(whole.offset), "what is left begins at the error");
    }
    for (const chunks of everyCut(bytes)) {
      const { remaining, ...outcome } = decode(chunks, options);
      const { remaining: _, ...same } = whole;
      assertEquals(outcome, same);
      // What had not been pushed when the error came cannot be had back.
      if (outcome.offset !== undefined) assertStringIncludes(wire.slice(outcome.offset), remaining);
    }
  });
}

Deno.test("http response: a head keeps its fields and its bytes", () => {
  const wire =
    "HTTP/1.1 200 Fein gem\xe4cht\r\nSet-Cookie: a\r\nX:  \xe4\t\r\nset-cookie: b\r\n\r\n";
  httpResponses().decoder().push(latin1(wire), (part) => {
    if (part.type !== "head") return;
    const { version, status, reason, headers, raw } = part.head;
    assertEquals([version, status, reason], ["1.1", 200, "Fein gem\xe4cht"]);
    assertEquals(headers.getSetCookie(), ["a", "b"]);
    assertEquals(headers.get("x"), "\xe4");
    assertEquals(raw, latin1(wire));
    return false;
  });
});

Deno.test("http response: emit can stop anywhere and lose nothing", () => {
  const wire = latin1(`HTTP/1.1 100 C\r\n\r\n${CHUNKED}2\r\nhe\r\n1\r\ny\r\n0\r\nA: b\r\n\r\n`);
  const decoder = httpResponses().decoder();
  const seen: string[] = [];
  let chunk: Uint8Array = wire.slice();
  for (let count = -1; count < seen.length; chunk = new Uint8Array(0)) {
    count = seen.length;
    decoder.push(chunk, (part) => {
      seen.push(part.type);
      return false;
    });
    chunk.fill(0xee);
  }
  assertEquals(seen, ["interim", "head", "data", "data", "end"]);
  assertEquals(decoder.takeRemaining!().length, 0);
});

Deno.test("http response: what is behind the head can be taken out", () => {
  const decoder = httpResponses().decoder();
  decoder.push(join(CHUNKED, "5\r\nhello"), () => false);
  assertEquals(decoder.takeRemaining!(), latin1("5\r\nhello"));
});

Deno.test("http response: messages quote a stranger's bytes harmlessly", () => {
  const wire = `${OK}evil\x1b[2J\u202e${"x".repeat(200)}\r\n\r\n`;
  const error = assertThrows(
    () => httpResponses().decoder().push(new TextEncoder().encode(wire), () => {}),
    FrameError,
  );
  assertStringIncludes(error.message, 'Cannot read the head of the response: "evil\\u001b[2J');
  assertEquals(/^[ -~…]*$/.test(error.message) && error.message.length < 200, true);
});

Deno.test("http request: the bytes are as they should be", () => {
  const bytes = httpResponses().encode({ method: "GET", target: "/a?b", fields: [["Host", "h"]] });
  assertEquals(bytes, latin1("GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"));
});

Deno.test("http response: limits of Infinity are none", async () => {
  const names = ["maxHeadSize", "maxFields", "maxChunkLine", "maxBodySize"] as const;
  const limits = Object.fromEntries(names.map((name) => [name, Infinity]));
  const field = `A: ${"b".repeat(100_000)}\r\n`;
  const wire = `HTTP/1.1 200 OK\r\n${field}Transfer-Encoding: chunked\r\n\r\n` +
    `1;${"c".repeat(10_000)}\r\nx\r\n0\r\n${field}\r\n`;
  const parts = await Array.fromAsync(frames([latin1(wire)], httpResponses({ limits })));
  assertEquals(parts.map(({ type }) => type), ["head", "data", "end"]);
});
