import { assert, assertEquals, assertMatch } from "@std/assert";
import { ClosedError, FrameError, LimitError } from "../../errors.ts";
import { escapeControls } from "../../common/escape.ts";
import { catchRejection } from "../../common/catch_rejection.ts";
import {
  isCausedByPeer,
  MAX_REPORT_LENGTH,
  PeerReport,
  REPORTS_PER_SECOND,
} from "../../common/peer_report.ts";
import { netError } from "../../common/net_error.ts";
import { jsonLines, lengthPrefixed } from "../../framing/mod.ts";
import { captureErrors } from "../_util/events.ts";

const peer = { transport: "tcp", hostname: "192.0.2.7", port: 50_123 } as const;
const socket = { operation: "read", transport: "tcp", remoteAddr: peer } as const;
const broken = new FrameError("corrupt", "Cannot decode a frame: bad");

/** What is printed while `body` runs, on a clock that `body` can set. */
async function printedBy(
  body: (report: PeerReport, clock: { now: number }) => void,
): Promise<string[]> {
  const clock = { now: 0 };
  const printed = await captureErrors(() => {
    const report = new PeerReport({ now: () => clock.now });
    body(report, clock);
    report.close();
    return Promise.resolve();
  });
  return printed.map((args) => {
    assertEquals(args.length, 1);
    return args[0] as string;
  });
}

Deno.test("escapeControls leaves nothing that a terminal obeys, and what is escaped as it is", () => {
  assertEquals(
    escapeControls("\x1b[2J\x07\u009b2K\u202egnp\u2028\r\n\t\x7f"),
    [
      "\\x1b[2J\\x07\\u{9b}2K\\u{202e}gnp\\u{2028}\\r\\n\\t\\x7f",
    ].join(""),
  );
  assertEquals(escapeControls('the bytes spell "a\\nb"'), 'the bytes spell "a\\nb"');
  assertEquals(escapeControls("שלום 你好 😀"), "שלום 你好 😀");
  assertEquals(escapeControls("\ud83d!"), "\\u{d83d}!");
  const once = escapeControls("\x1b\u202e");
  assertEquals(escapeControls(once), once);
});

Deno.test("escapeControls bounds the length of what it made, and cuts no escape in two", () => {
  assertEquals(escapeControls("abcdef", 6), "abcdef");
  assertEquals(escapeControls("abcdefg", 6), "abcde…");
  for (let length = 2; length < 24; length++) {
    const shown = escapeControls("\x1b\u202e\x1b\u202e\x1b\u202e", length);
    assert(shown.length <= length);
    assertMatch(shown, /^(\\x1b|\\u\{202e\})*…$/);
  }
  assert(escapeControls("\x1b".repeat(10_000_000), 100).length <= 100);
});

Deno.test("what a peer has caused is one line with its address", async () => {
  const decoder = jsonLines().decoder();
  let error: unknown;
  try {
    decoder.push(new TextEncoder().encode("\x1b[2J\u202e\n"), () => {});
  } catch (thrown) {
    error = thrown;
  }
  const printed = await printedBy((report) => {
    report.report(error, peer);
    report.report(new FrameError("corrupt", "line\nbreak"), { transport: "unix", path: "/a\x1bb" });
    report.report(netError(Deno.errors.ConnectionReset, "ECONNRESET", "reset", socket), peer);
    report.report(broken);
  });
  assertEquals(printed.length, 4);
  for (const line of printed) assertEquals(escapeControls(line), line);
  assertMatch(printed[0] ?? "", /^192\.0\.2\.7:50123: Cannot decode a frame: .*\[2J/);
  assertEquals(printed.slice(1), [
    "/a\\x1bb: line\\nbreak",
    "Cannot read from 192.0.2.7:50123: reset",
    "Cannot decode a frame: bad",
  ]);
});

Deno.test("what a codec has quoted is not escaped twice", async () => {
  let error: unknown;
  try {
    lengthPrefixed({ size: 4 }).decoder().push(new TextEncoder().encode('a"\r\nb..'), () => {});
  } catch (thrown) {
    error = thrown;
  }
  const printed = await printedBy((report) => report.report(error, peer));
  assertEquals(printed, [`192.0.2.7:50123: ${(error as Error).message}`]);
});

Deno.test("a line is bounded, however long the message", async () => {
  const error = new FrameError("corrupt", "\x1b".repeat(1_000_000));
  const printed = await printedBy((report) => report.report(error, peer));
  assertEquals(printed.length, 1);
  assert((printed[0] ?? "").length <= MAX_REPORT_LENGTH);
});

Deno.test("a program can have each failure in one line, written where it likes", () => {
  const written: string[] = [];
  const clock = { now: 0 };
  const report = new PeerReport({ write: (text) => written.push(text), now: () => clock.now });
  report.line(new TypeError("it is\n  broken"), peer);
  report.line("Cannot read from 192.0.2.7:50123: reset", peer);
  assertEquals(written.splice(0), [
    "192.0.2.7:50123: it is\\n  broken",
    "Cannot read from 192.0.2.7:50123: reset",
  ]);
  for (let i = 0; i < 1_000; i++) report.line("again", peer);
  assertEquals(written.splice(0), Array(REPORTS_PER_SECOND - 2).fill("192.0.2.7:50123: again"));
  clock.now = 1_500;
  report.line("\x1b".repeat(100_000), peer);
  const [leftOut, long = ""] = written.splice(0);
  assertEquals(leftOut, `${1_002 - REPORTS_PER_SECOND} more like this were not shown`);
  assert(long.length <= MAX_REPORT_LENGTH);
  report.close();
  assertEquals(written, []);
});

Deno.test("a mistake keeps its stack and its causes, and its message cannot write lines", async () => {
  const forged = new SyntaxError("bad \x1b[2J\n    at trusted (/app.ts:1:1)", {
    cause: new TypeError("deeper"),
  });
  const [text = ""] = await printedBy((report) => report.report(forged, peer));
  const lines = text.split("\n");
  assertEquals(lines[0], "SyntaxError: bad \\x1b[2J\\n    at trusted (/app.ts:1:1)");
  assertMatch(lines[1] ?? "", /^\s+at .*peer_report_test\.ts/);
  assert(lines.includes("Caused by TypeError: deeper"));
  assert(!lines.includes("    at trusted (/app.ts:1:1)"));
  for (const line of lines) assertEquals(escapeControls(line), line);
  const circle = new Error("round");
  circle.cause = circle;
  const others = await printedBy((report) => {
    for (const thrown of ["text\x1b", undefined, { a: "\x1b" }, circle]) report.report(thrown);
  });
  assertEquals(others.slice(0, 2), ["text\\x1b", "undefined"]);
  assert(!others.join("").includes("\x1b"));
});

Deno.test("reports are limited in rate, and what was left out is counted", async () => {
  const printed = await printedBy((report, clock) => {
    for (let i = 0; i < 1_000; i++) report.report(broken, peer);
    report.report(new TypeError("a mistake all the same"));
    clock.now = 1_000;
    report.report(broken, peer);
    for (let i = 0; i < REPORTS_PER_SECOND; i++) report.report(broken, peer);
  });
  const line = "192.0.2.7:50123: Cannot decode a frame: bad";
  assertEquals(printed.slice(0, REPORTS_PER_SECOND), Array(REPORTS_PER_SECOND).fill(line));
  assertMatch(printed[REPORTS_PER_SECOND] ?? "", /^TypeError: a mistake all the same\n/);
  assertEquals(printed.slice(REPORTS_PER_SECOND + 1), [
    `${1_000 - REPORTS_PER_SECOND} more like this were not shown`,
    ...Array(REPORTS_PER_SECOND).fill(line),
    "1 more like this was not shown",
  ]);
});

Deno.test("what was left out is counted after a second, without another report", async () => {
  const printed = await captureErrors(async () => {
    const closing = Promise.withResolvers<void>();
    const original = console.error; // the collecting one
    console.error = (...args) => {
      original(...args);
      if (String(args[0]).includes("more like this")) closing.resolve();
    };
    const report = new PeerReport();
    // The sweep timer lets the process end; this one waits for it.
    const alive = setInterval(() => {}, 1_000);
    for (let i = 0; i < 50; i++) report.report(broken, peer);
    await closing.promise;
    clearInterval(alive);
  });
  assertEquals(printed.at(-1), [`${50 - REPORTS_PER_SECOND} more like this were not shown`]);
});

Deno.test("isCausedByPeer tells peers from mistakes", () => {
  const failed = (operation: "accept" | "read" | "send" | "connect" | "listen") =>
    netError(Deno.errors.ConnectionRefused, "E", "it failed", { ...socket, operation });
  for (
    const error of [
      broken,
      new LimitError("read_buffer", "", { ...socket, limit: 1 }),
      new LimitError("write_queue", "", { ...socket, limit: 1 }),
      failed("accept"),
      failed("read"),
      failed("send"),
    ]
  ) assert(isCausedByPeer(error), String(error));
  for (
    const error of [
      new LimitError("requests", "", { ...socket, limit: 1 }),
      new ClosedError("closed", "", socket),
      netError(Deno.errors.Busy, "EBUSY", "two readers", socket),
      failed("connect"),
      failed("listen"),
      new TypeError("x is undefined"),
      new RangeError("out of range"),
      "a string",
      undefined,
    ]
  ) assert(!isCausedByPeer(error), String(error));
});

Deno.test("catchRejection handles what a hook rejects with, whatever kind of promise", async () => {
  for (
    const make of [
      () => Promise.reject("reason"),
      () => ({ then: (_: unknown, reject: (reason: string) => void) => reject("reason") }),
      () => ({
        then() {
          throw "reason";
        },
      }),
    ]
  ) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    catchRejection(make(), resolve);
    assertEquals(await promise, "reason");
  }
  for (const value of [undefined, null, 0, "", {}, Promise.resolve(1)]) {
    catchRejection(value, (reason) => {
      throw reason;
    });
  }
});
