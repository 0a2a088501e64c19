import { assert, assertEquals, assertThrows } from "@std/assert";
import { CidrList, parseIp, userKey } from "../../common/cidr.ts";

Deno.test("parseIp reads IPv4 and IPv6 literals and nothing else", () => {
  assertEquals(parseIp("127.0.0.1"), { value: 0x7f000001n, bits: 32 });
  assertEquals(parseIp("255.255.255.255"), { value: 0xffffffffn, bits: 32 });
  assertEquals(parseIp("::"), { value: 0n, bits: 128 });
  assertEquals(parseIp("::1"), { value: 1n, bits: 128 });
  assertEquals(parseIp("[::1]"), { value: 1n, bits: 128 });
  assertEquals(parseIp("fe80::1%eth0"), { value: (0xfe80n << 112n) | 1n, bits: 128 });
  assertEquals(parseIp("1:2:3:4:5:6:7:8")?.value, 0x00010002000300040005000600070008n);
  assertEquals(parseIp("2001:DB8::ff"), { value: (0x20010db8n << 96n) | 0xffn, bits: 128 });
  assertEquals(parseIp("64:ff9b::1.2.3.4"), { value: (0x64ff9bn << 96n) | 0x01020304n, bits: 128 });
  assertEquals(parseIp("::ffff:1.2.3.4"), { value: 0x01020304n, bits: 32 });
  for (
    const text of [
      "",
      "localhost",
      "1.2.3",
      "1.2.3.4.5",
      "256.1.1.1",
      "01.2.3.4",
      "1.2.3.4 ",
      "-1.2.3.4",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1::2::3",
      ":::",
      "12345::",
      "g::",
      "1:2:3:4:5:6:7::8",
      "1.2.3.4::",
      "::1.2.3",
      ":1",
      "1:",
    ]
  ) {
    assertEquals(parseIp(text), null, text);
  }
});

Deno.test("CidrList knows what lies in its ranges", () => {
  const list = new CidrList("allow", ["10.0.0.0/8", "192.168.1.7", "172.16.0.0/12", "fd00::/8"]);
  for (
    const inside of ["10.0.0.0", "10.255.255.255", "192.168.1.7", "172.31.0.1", "fdab::1"]
  ) assert(list.has(inside), inside);
  for (
    const outside of [
      "11.0.0.0",
      "9.255.255.255",
      "192.168.1.8",
      "172.32.0.1",
      "fe00::1",
      "host",
      "",
    ]
  ) assert(!list.has(outside), outside);
  assert(list.has("::ffff:10.1.2.3"), "a mapped address is the IPv4 address");
});

Deno.test("CidrList takes whole families and single addresses", () => {
  assert(new CidrList("allow", ["0.0.0.0/0"]).has("1.2.3.4"));
  assert(!new CidrList("allow", ["0.0.0.0/0"]).has("::1"));
  assert(new CidrList("allow", ["::/0"]).has("2001:db8::1"));
  assert(!new CidrList("allow", ["::/0"]).has("1.2.3.4"));
  assert(new CidrList("allow", ["::1/128"]).has("0:0:0:0:0:0:0:1"));
  assert(!new CidrList("allow", []).has("1.2.3.4"));
  assert(new CidrList("deny", ["10.1.2.3/8"]).has("10.9.9.9"), "host bits do not matter");
});

Deno.test("a mapped range is the IPv4 range it stands for", () => {
  const list = new CidrList("allow", ["::ffff:10.0.0.0/104"]);
  assert(list.has("10.1.2.3"));
  assert(list.has("::ffff:10.1.2.3"));
  assert(!list.has("11.1.2.3"));
  assert(new CidrList("deny", ["::ffff:0:0/96"]).has("10.1.2.3"), "all of IPv4");
  assert(new CidrList("deny", ["::ffff:7f00:1"]).has("127.0.0.1"));
  assertThrows(() => new CidrList("deny", ["::ffff:10.0.0.0/8"]), TypeError, '"deny"');
});

Deno.test("CidrList refuses what is not a range", () => {
  for (
    const range of [
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "host",
      "/8",
      "",
    ]
  ) {
    assertThrows(() => new CidrList("allow", [range]), TypeError, `"allow"`, range);
  }
});

Deno.test("userKey is the address, or the /64 of an IPv6 address", () => {
  assertEquals(userKey("1.2.3.4"), "1.2.3.4");
  assertEquals(userKey("::ffff:1.2.3.4"), "1.2.3.4");
  assertEquals(userKey("2001:db8:1:2:3:4:5:6"), userKey("2001:db8:1:2:ffff::1"));
  assert(userKey("2001:db8:1:2::1") !== userKey("2001:db8:1:3::1"));
  assert(userKey("1.2.3.4") !== userKey("1.2.3.5"));
});
