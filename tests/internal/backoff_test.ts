import { assert, assertEquals } from "@std/assert";
import { Backoff, sleep } from "../../_internal/backoff.ts";

Deno.test("Backoff doubles from min to max and stays there", () => {
  const backoff = new Backoff({ min: 5, max: 1_000, jitter: 0 });
  const waits = Array.from({ length: 11 }, () => backoff.next());
  assertEquals(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
  backoff.reset();
  assertEquals(backoff.next(), 5);
});

Deno.test("Backoff never waits longer than max, not even at first", () => {
  assertEquals(new Backoff({ min: 50, max: 20, jitter: 0 }).next(), 20);
});

Deno.test("jitter takes off as much as it may, and nothing more", () => {
  const waits = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const wait = new Backoff({ min: 100, max: 100, jitter: 0.5 }).next();
    assert(wait > 50 && wait <= 100, `${wait}`);
    waits.add(wait);
  }
  assert(waits.size > 100, "the waits are all alike");
});

Deno.test("a sleep ends by itself or when it is woken", async () => {
  await sleep(1).done;
  const long = sleep(600_000);
  long.wake();
  await long.done;
  long.wake();
});
