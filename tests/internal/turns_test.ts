/**
 * The rounds in which busy connections take turns, with the timer's ticks in the test's own hand.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import { CROWD, MIN_SHARE, QUIET, ROUND, takeTurn, type Turn } from "../../_internal/turns.ts";
import { Watched } from "../_util/events.ts";

/** Runs `body` with the timer replaced: a tick passes when the test says so. */
async function withTicks(body: (tick: () => Promise<void>) => Promise<void>): Promise<void> {
  const original = globalThis.setTimeout;
  const waiting: (() => void)[] = [];
  globalThis.setTimeout = ((run: () => void) => waiting.push(run)) as unknown as typeof setTimeout;
  try {
    await body(async () => {
      waiting.shift()?.();
      await Promise.resolve();
    });
    assertEquals(waiting, [], "a timer is left");
  } finally {
    globalThis.setTimeout = original;
  }
}

function turnsOf(count: number): Turn[] {
  return Array.from({ length: count }, () => ({ round: -1, steps: 0 }));
}

/** Takes turns until there is something to wait for; says what, and after how many. */
function takeShare(turn: Turn): [wait: Promise<void>, steps: number] {
  for (let steps = 1; steps <= ROUND; steps++) {
    const wait = takeTurn(turn);
    if (wait !== undefined) return [wait, steps];
  }
  throw new Error("it never had to wait");
}

Deno.test("no more connections than the runtime serves fairly never wait", async () => {
  await withTicks(async () => {
    const turns = turnsOf(CROWD);
    for (let steps = 0; steps < 3 * ROUND; steps++) {
      assertEquals(takeTurn(turns[steps % 7 === 0 ? 0 : steps % CROWD] as Turn), undefined);
    }
    await Promise.resolve();
  });
});

Deno.test("connections that come and go are no crowd, however many there have been", async () => {
  await withTicks(async () => {
    for (let generation = 0; generation < 5; generation++) {
      const turns = turnsOf(CROWD - 1);
      for (let steps = 0; steps < ROUND; steps++) {
        assertEquals(takeTurn(turns[steps % turns.length] as Turn), undefined);
      }
    }
    await Promise.resolve();
  });
});

for (const count of [256, 1_000, 10_000]) {
  Deno.test(`of ${count} connections, who has had a share waits for the others`, async () => {
    await withTicks(async (tick) => {
      const turns = turnsOf(count);
      for (const turn of turns) assertEquals(takeTurn(turn), undefined);
      const [hog, ...others] = turns as [Turn, ...Turn[]];
      const [wait, steps] = takeShare(hog);
      assertLess(steps, Math.max(2 * ROUND / count, 2 * MIN_SHARE));
      const watched = new Watched(wait);
      for (let ticks = 0; ticks < 3; ticks++) { // in each of which the others do something
        for (const turn of others.slice(0, QUIET)) assertEquals(takeTurn(turn), undefined);
        await tick();
        assertEquals(watched.settled, false);
      }
      for (const turn of others.slice(1, QUIET)) assertEquals(takeTurn(turn), undefined);
      await tick(); // in which hardly anybody did anything: the others have had theirs
      await wait;
      assertEquals(takeTurn(hog), undefined);
    });
  });
}

Deno.test("the first of a new round gets no more than a share either", async () => {
  await withTicks(async (tick) => {
    const turns = turnsOf(500);
    for (const turn of turns) takeTurn(turn);
    const [hog] = turns as [Turn];
    const [first] = takeShare(hog);
    await tick();
    await tick();
    await first;
    const [second, steps] = takeShare(hog); // nobody else has come yet
    assertLess(steps, 2 * ROUND / 500);
    assert(second !== first);
    await tick();
    await tick();
    await second;
  });
});
