import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  checkHostname,
  checkPath,
  checkPort,
  formatAddr,
  formatHostPort,
  netAddr,
  normaliseAddr,
  stripBrackets,
  unixAddr,
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
  const startedTls = { hostname: "1.2.3.4", port: 5 } as Deno.NetAddr;
  assertEquals(normaliseAddr(startedTls), { transport: "tcp", hostname: "1.2.3.4", port: 5 });
  const unnamed = { transport: "unix", path: null } as unknown as Deno.UnixAddr;
  assertEquals(normaliseAddr(unnamed), { transport: "unix", path: "" });
});

Deno.test("an address prints as one line, and is a plain object otherwise", () => {
  for (
    const [addr, plain, text] of [
      [netAddr("udp", "::1", 53), { transport: "udp", hostname: "::1", port: 53 }, "[::1]:53"],
      [unixAddr("unix", "/run/x"), { transport: "unix", path: "/run/x" }, "/run/x"],
    ] as const
  ) {
    assertEquals(addr as unknown, plain);
    assertEquals(plain, addr as unknown);
    assertEquals(JSON.parse(JSON.stringify(addr)), plain);
    assertEquals(structuredClone({ ...addr }) as unknown, plain);
    assertStrictEquals(addr.constructor, Object);
    assertEquals(`${addr}`, text);
    assertEquals(Deno.inspect([addr]), `[ ${text} ]`);
    assert(Object.isFrozen(addr), "one that is handed out twice must stay what it is");
  }
});

Deno.test("an address is never taken for another that has its place", () => {
  const seen = new Map<Deno.NetAddr, string>();
  for (let i = 0; i < 20_000; i++) {
    const [transport, hostname] = [
      i % 3 === 0 ? "tcp" : "udp",
      `10.0.${i % 7}.${i % 251}`,
    ] as const;
    const addr = netAddr(transport, hostname, i % 4_099);
    const expected = `${transport} ${hostname} ${i % 4_099}`;
    assertEquals(`${addr.transport} ${addr.hostname} ${addr.port}`, expected);
    assertEquals(seen.get(addr) ?? expected, expected);
    seen.set(addr, expected);
  }
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
  for (const port of [0, 1, 80, 65_535]) assertEquals(checkPort("port", port), port);
  for (const port of [-1, 65_536, 1.5, NaN, Infinity]) {
    assertThrows(
      () => checkPort("port", port),
      RangeError,
      `Cannot use option "port" as a whole number from 0 to 65535: current value is ${port}`,
    );
  }
  assertThrows(() => checkPort("localPort", 0, 1), RangeError, '"localPort"');
  assertThrows(() => checkPort("port", "80"), TypeError, 'value is "80"');
});

Deno.test("checkHostname and checkPath say what they were given instead", () => {
  assertEquals(checkHostname("hostname", "[::1]"), "::1");
  assertEquals(checkPath("/run/x"), "/run/x");
  assertThrows(() => checkHostname("hostname", "a b"), RangeError, 'value is "a b"');
  assertThrows(() => checkHostname("localHostname", 5), TypeError, '"localHostname"');
  assertThrows(() => checkPath(""), RangeError, 'option "path"');
  assertThrows(() => checkPath(null), TypeError, "value is null");
});
