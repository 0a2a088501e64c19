import { assertEquals } from "@std/assert";
import { MinRate } from "../../common/min_rate.ts";

Deno.test("a transfer has its grace first, and then what its bytes earn", () => {
  const rate = new MinRate(10, 1_000);
  rate.pay(1_000);
  assertEquals(rate.isTooSlow, false);
  rate.pay(1);
  assertEquals(rate.isTooSlow, true);
  rate.earn(1); // 100 ms
  assertEquals(rate.isTooSlow, false);
  rate.pay(100);
  assertEquals(rate.isTooSlow, true);
  rate.reset();
  assertEquals(rate.isTooSlow, false);
});

Deno.test("a fast beginning pays for four graces at most, and for what is allowed besides", () => {
  const rate = new MinRate(10, 1_000);
  rate.earn(1_000_000);
  rate.pay(4_000);
  assertEquals(rate.isTooSlow, false);
  rate.pay(1);
  assertEquals(rate.isTooSlow, true);
  rate.reset();
  rate.earn(1_000_000, 500);
  rate.pay(4_500);
  assertEquals(rate.isTooSlow, false);
});

Deno.test("without a minimum, and with an endless grace, nothing is too slow", () => {
  const none = new MinRate(0, 1_000);
  none.pay(1e9);
  assertEquals([none.isTooSlow, none.timeFor(100)], [false, 0]);
  const endless = new MinRate(10, Infinity);
  endless.pay(1e9);
  assertEquals(endless.isTooSlow, false);
});
