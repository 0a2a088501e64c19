import { assert, assertEquals } from "@std/assert";
import { inTurn, mayHandOut, nextTurn, spend, TURN, whenTurn } from "../../common/turn_budget.ts";

/** Works for `ms` milliseconds without giving anything else a turn. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Steps until the turn is over, as one who always finds something in memory. */
async function stepUntilOver(): Promise<number> {
  let steps = 1;
  while (!spend()) {
    work(0.1);
    await null;
    steps++;
  }
  return steps;
}

Deno.test("a turn is over when its time is, and the next one has time again", async () => {
  await nextTurn();
  const began = performance.now();
  assert(await stepUntilOver() > 1);
  assert(performance.now() - began >= TURN * 0.9);
  await nextTurn();
  assert(!spend());
});

Deno.test("many bytes are as good as many steps", async () => {
  await nextTurn();
  work(TURN + 1);
  assert(spend(1024 * 1024));
  await nextTurn();
});

Deno.test("a timer fires between turns, however many keep finding something to do", async () => {
  let fired = false;
  const timer = setTimeout(() => fired = true, 1);
  const busy = async () => {
    while (!fired) {
      while (!fired && !spend()) {
        work(0.05);
        await null;
      }
      await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: 50 }, busy)); // or it never ends
  clearTimeout(timer);
});

Deno.test("those that wait resume in order, as many as the turn has time for", async () => {
  const order: number[] = [];
  const turns = new Set<number>();
  let turn = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  for (let i = 0; i < 10; i++) {
    whenTurn(() => {
      order.push(i);
      turns.add(turn);
      work(TURN / 2);
      if (i === 9) resolve();
    });
  }
  const ticks = setInterval(() => turn++, 0);
  await promise;
  clearInterval(ticks);
  assertEquals(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert(turns.size > 1, "all ten were resumed in one turn");
});

Deno.test("data is handed out to one after the other, and the clock is read in between", async () => {
  await nextTurn();
  let turn = 0;
  const ticks = setInterval(() => turn++, 0);
  const turns = new Set<number>();
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = 10;
  const consume = async () => {
    for (let i = 0; i < 4; i++) await null; // as behind a few promises
    work(TURN / 2);
    turns.add(turn);
    if (--left === 0) resolve();
  };
  for (let i = 0; i < 10; i++) { // all at once, as ten reads that are ready together
    if (mayHandOut(64 * 1024)) consume();
    else inTurn(() => void consume());
  }
  await promise;
  clearInterval(ticks);
  assert(turns.size > 2, "all ten were handed out in one turn");
});
