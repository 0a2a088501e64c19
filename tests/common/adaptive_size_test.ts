import { assertEquals, assertStrictEquals } from "@std/assert";
import { AdaptiveBuffer, AdaptiveSize } from "../../common/adaptive_size.ts";

Deno.test("a size grows while reads fill it, up to its largest", () => {
  const size = new AdaptiveSize(256, 4096);
  const seen: number[] = [];
  for (let i = 0; i < 4; i++) {
    size.learn(size.current);
    seen.push(size.current);
  }
  assertEquals(seen, [1024, 4096, 4096, 4096]);
});

Deno.test("a size shrinks after eight small reads in a row, down to its smallest", () => {
  const size = new AdaptiveSize(256, 4096);
  size.learn(256);
  size.learn(1024);
  for (let i = 0; i < 7; i++) size.learn(1);
  size.learn(2000); // half of it: it is needed
  for (let i = 0; i < 7; i++) size.learn(1);
  assertEquals(size.current, 4096);
  for (let i = 0; i < 30; i++) size.learn(1);
  assertEquals(size.current, 256);
});

Deno.test("a read that fills a small rest of the buffer says nothing", () => {
  const size = new AdaptiveSize(256, 4096);
  size.learn(100, 100);
  assertEquals(size.current, 256);
});

Deno.test("a buffer is other memory only when its size has changed", () => {
  const buffer = new AdaptiveBuffer(256, 1024);
  const first = buffer.bytes;
  buffer.learn(100);
  assertStrictEquals(buffer.bytes, first);
  buffer.learn(256);
  assertEquals(buffer.bytes.length, 1024);
});
