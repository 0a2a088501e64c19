import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ClosedError, isNetError, LimitError } from "../../errors.ts";
import { netError, type OperationContext, timedOut } from "../../common/net_error.ts";
import { busy, isPeerFault, translate } from "../../_internal/translate.ts";

const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "192.0.2.1", port: 80 };
const localAddr: Deno.NetAddr = { transport: "tcp", hostname: "192.0.2.2", port: 5555 };
const reading: OperationContext = { operation: "read", transport: "tcp", localAddr, remoteAddr };

Deno.test("translate keeps the class, adds the fields and the cause", () => {
  const cause = new Deno.errors.ConnectionReset("Connection reset by peer (os error 104)");
  const error = translate(cause, reading);
  assert(error instanceof Deno.errors.ConnectionReset);
  assert(isNetError(error));
  assertEquals(error.message, "Cannot read from 192.0.2.1:80: connection reset by the peer");
  assertEquals(error.operation, "read");
  assertEquals(error.transport, "tcp");
  assertEquals(error.code, "ECONNRESET");
  assertEquals(error.localAddr, localAddr);
  assertEquals(error.remoteAddr, remoteAddr);
  assertStrictEquals(error.cause, cause);
});

Deno.test("every class of the runtime has its code", () => {
  const codes: [new (message: string) => Error, string][] = [
    [Deno.errors.ConnectionRefused, "ECONNREFUSED"],
    [Deno.errors.ConnectionReset, "ECONNRESET"],
    [Deno.errors.ConnectionAborted, "ECONNABORTED"],
    [Deno.errors.NotConnected, "ENOTCONN"],
    [Deno.errors.BrokenPipe, "EPIPE"],
    [Deno.errors.AddrInUse, "EADDRINUSE"],
    [Deno.errors.AddrNotAvailable, "EADDRNOTAVAIL"],
    [Deno.errors.TimedOut, "ETIMEDOUT"],
    [Deno.errors.NotFound, "ENOENT"],
    [Deno.errors.PermissionDenied, "EACCES"],
    [Deno.errors.NotCapable, "ENOTCAPABLE"],
    [Deno.errors.Interrupted, "EINTR"],
    [Deno.errors.BadResource, "EBADF"],
    [Deno.errors.Busy, "EBUSY"],
    [Deno.errors.UnexpectedEof, "EEOF"],
    [Deno.errors.InvalidData, "EINVALIDDATA"],
    [Error, "EUNKNOWN"],
  ];
  for (const [Class, code] of codes) {
    const error = translate(new Class("why"), reading);
    assert(error instanceof Class && isNetError(error));
    assertEquals(error.code, code);
  }
});

Deno.test("the system's own code outweighs the class's", () => {
  const cause = Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" });
  const error = translate(cause, { operation: "accept", transport: "tcp", localAddr });
  assert(isNetError(error));
  assertEquals(error.code, "EMFILE");
  assertEquals(
    error.message,
    "Cannot accept on 192.0.2.2:5555: too many open files in this process",
  );
});

Deno.test("a reason without words of its own is the runtime's, without its number", () => {
  const error = translate(new Deno.errors.BadResource("Odd thing (os error 999)"), reading);
  assertEquals((error as Error).message, "Cannot read from 192.0.2.1:80: Odd thing");
});

Deno.test("DNS failures, which have no code, are told apart by their text", () => {
  const context: OperationContext = { operation: "connect", transport: "tcp", target: "host:80" };
  for (
    const [text, code, reason] of [
      ["Name or service not known", "ENOTFOUND", "no such host"],
      ["nodename nor servname provided, or not known", "ENOTFOUND", "no such host"],
      ["Temporary failure in name resolution", "EAI_AGAIN", "the name server does not answer"],
    ]
  ) {
    const error = translate(
      new Error(`failed to lookup address information: ${text}`),
      context,
    );
    assert(error instanceof Deno.errors.NotFound && isNetError(error));
    assertEquals([error.operation, error.code], ["resolve", code ?? ""]);
    assertEquals(error.message, `Cannot resolve host:80: ${reason}`);
  }
});

Deno.test("TLS failures have the code ETLS, and keep the reason", () => {
  const cause = new Deno.errors.InvalidData("invalid peer certificate: UnknownIssuer");
  const error = translate(cause, { operation: "handshake", transport: "tls", remoteAddr });
  assert(error instanceof Deno.errors.InvalidData && isNetError(error));
  assertEquals(error.code, "ETLS");
  assertEquals(
    error.message,
    "Cannot finish the TLS handshake with 192.0.2.1:80: the peer's certificate is not valid: " +
      "it is not signed by an authority that is trusted here",
  );
});

Deno.test("what is ours, or about the caller's arguments, passes unchanged", () => {
  const options = { operation: "write", transport: "tcp" } as const;
  for (
    const error of [
      new TypeError("an argument"),
      new RangeError("a value"),
      new ClosedError("closed", "it is", options),
      new LimitError("write_queue", "too much", { ...options, limit: 1 }),
      timedOut(reading, 5),
      "not even an error",
      undefined,
    ]
  ) {
    assertStrictEquals(translate(error, reading), error);
  }
});

Deno.test("timedOut and busy say what was going on", () => {
  const late = timedOut({ operation: "connect", transport: "tcp", target: "h:1" }, 50);
  assert(late instanceof Deno.errors.TimedOut);
  assertEquals(late.message, "Cannot connect to h:1: no answer within 50 ms");
  const second = busy(reading);
  assert(second instanceof Deno.errors.Busy);
  assert(second.message.endsWith("another read is in progress on this connection"));
});

Deno.test("fields that are not known are not there", () => {
  const error = netError(Error, "EX", "why", {
    operation: "connect",
    transport: "tcp",
    target: "h:1",
  });
  assertEquals("localAddr" in error, false);
  assertEquals("remoteAddr" in error, false);
  assertEquals("cause" in error, false);
});

Deno.test("isPeerFault knows whom to blame", () => {
  for (
    const error of [
      new Deno.errors.ConnectionReset(),
      new Deno.errors.BrokenPipe(),
      new Deno.errors.NotConnected(),
      new Deno.errors.TimedOut(),
      new Deno.errors.UnexpectedEof(),
      translate(new Deno.errors.InvalidData("bad"), { ...reading, transport: "tls" }),
    ]
  ) assert(isPeerFault(error), String(error));
  for (
    const error of [
      new Error("a mistake"),
      new TypeError("a mistake"),
      new Deno.errors.InvalidData("a mistake"),
      new ClosedError("closed", "we did", { operation: "read", transport: "tcp" }),
      undefined,
    ]
  ) assert(!isPeerFault(error), String(error));
});

Deno.test("a code from the system tells the class where the runtime's does not", () => {
  const sending: OperationContext = { operation: "send", transport: "udp", remoteAddr };
  const plain = Object.assign(new Error("bind EADDRINUSE"), { code: "EADDRINUSE" });
  assert(translate(plain, sending) instanceof Deno.errors.AddrInUse);
  const system = Object.assign(new TypeError("Invalid argument (os error 22)"), { code: "EINVAL" });
  const error = translate(system, sending);
  assert(isNetError(error) && error.code === "EINVAL" && !(error instanceof TypeError));
  const argument = Object.assign(new TypeError("bad"), { code: "ERR_INVALID_ARG_TYPE" });
  assertStrictEquals(translate(argument, sending), argument);
});

Deno.test("a socket without a peer receives on its own address", () => {
  const error = timedOut({ operation: "receive", transport: "udp", localAddr }, 5, "nothing came");
  assertEquals(error.message, "Cannot receive on 192.0.2.2:5555: nothing came within 5 ms");
});
