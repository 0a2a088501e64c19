import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  checkPort,
  formatAddr,
  formatHostPort,
  normaliseAddr,
  stripBrackets,
  unmapHostname,
} from "../../common/address.ts";

Deno.test("unmapHostname turns IPv4-mapped addresses into IPv4 and nothing else", () => {
  assertEquals(unmapHostname("::ffff:127.0.0.1"), "127.0.0.1");
  assertEquals(unmapHostname("::FFFF:10.1.2.3"), "10.1.2.3");
  for (const same of ["127.0.0.1", "::1", "::ffff:7f00:1", "2001:db8::ffff:1.2.3.4", "host"]) {
    assertEquals(unmapHostname(same), same);
  }
});

Deno.test("normaliseAddr gives what the type promises, whatever the runtime says", () => {
  const mapped: Deno.NetAddr = { transport: "tcp", hostname: "::ffff:1.2.3.4", port: 5 };
  assertEquals(normaliseAddr(mapped), { transport: "tcp", hostname: "1.2.3.4", port: 5 });
  const plain: Deno.NetAddr = { transport: "udp", hostname: "1.2.3.4", port: 5 };
  assertStrictEquals(normaliseAddr(plain), plain);
  const startedTls = { hostname: "1.2.3.4", port: 5 } as Deno.NetAddr;
  assertEquals(normaliseAddr(startedTls), { transport: "tcp", hostname: "1.2.3.4", port: 5 });
  const unnamed = { transport: "unix", path: null } as unknown as Deno.UnixAddr;
  assertEquals(normaliseAddr(unnamed), { transport: "unix", path: "" });
  const named: Deno.UnixAddr = { transport: "unix", path: "/run/x" };
  assertStrictEquals(normaliseAddr(named), named);
});

Deno.test("formatAddr writes addresses as people do", () => {
  assertEquals(formatAddr({ transport: "tcp", hostname: "1.2.3.4", port: 80 }), "1.2.3.4:80");
  assertEquals(formatAddr({ transport: "tcp", hostname: "::1", port: 80 }), "[::1]:80");
  assertEquals(formatAddr({ transport: "unix", path: "/run/x" }), "/run/x");
  assertEquals(formatAddr({ transport: "unix", path: "" }), "an unnamed unix socket");
  assertEquals(formatHostPort("[::1]", 80), "[::1]:80");
});

Deno.test("stripBrackets takes a whole pair off and no single one", () => {
  assertEquals(stripBrackets("[::1]"), "::1");
  assertEquals(stripBrackets("[::1"), "[::1");
  assertEquals(stripBrackets("localhost"), "localhost");
});

Deno.test("checkPort takes whole numbers that fit, and says which value did not", () => {
  for (const port of [0, 1, 80, 65_535]) checkPort("listen", port);
  for (const port of [-1, 65_536, 1.5, NaN, Infinity]) {
    assertThrows(
      () => checkPort("listen", port),
      RangeError,
      `Cannot listen: port must be a whole number from 0 to 65535, current value is ${port}`,
    );
  }
  assertThrows(() => checkPort("connect", 0, 1), RangeError, "from 1 to 65535");
  assertThrows(() => checkPort("listen", "80" as unknown as number), RangeError, "value is 80");
});
