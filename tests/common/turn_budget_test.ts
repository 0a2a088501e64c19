import { assert, assertEquals } from "@std/assert";
import {
  cameBack,
  inTurn,
  mayHandOut,
  nextTurn,
  othersWait,
  spend,
  TURN,
  whenTurn,
} from "../../common/turn_budget.ts";

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

/** Something that holds messages, and the loop that takes them. */
class Loop {
  size = 0;
  readonly #name: string;
  readonly #log: string[];
  readonly #each: (name: string) => Promise<unknown> | undefined;
  readonly #done = Promise.withResolvers<void>();

  constructor(name: string, log: string[], each: (name: string) => Promise<unknown> | undefined) {
    this.#name = name;
    this.#log = log;
    this.#each = each;
  }

  /** A piece with so many messages arrives. */
  arrive(count: number): Promise<void> {
    const take = () => {
      this.size = count;
      void this.#run();
    };
    if (mayHandOut(2_000, this)) take();
    else inTurn(take, this);
    return this.#done.promise;
  }

  async #run(): Promise<void> {
    while (this.size > 0) {
      this.#log.push(this.#name);
      this.size--;
      await null; // as the loop
      await this.#each(this.#name); // and as what it sends
    }
    cameBack(this);
    this.#done.resolve();
  }
}

Deno.test("one consumer takes all its messages before the next is handed any", async () => {
  await nextTurn();
  const log: string[] = [];
  const loops = ["a", "b", "c"].map((name) => new Loop(name, log, () => undefined));
  const all = loops.map((loop) => loop.arrive(20));
  assert(othersWait());
  await Promise.all(all);
  assertEquals(log.join(""), "a".repeat(20) + "b".repeat(20) + "c".repeat(20));
  assert(!othersWait());
});

Deno.test("a consumer that waits for something else holds up no one", async () => {
  for (const messages of [0, 1, 3]) { // that it takes before it waits
    await nextTurn();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const slow = new Loop("s", log, (name) => {
      return log.filter((each) => each === name).length > messages ? gate.promise : undefined;
    });
    const waiting = slow.arrive(5);
    await new Loop("q", log, () => undefined).arrive(5);
    assertEquals(log.join(""), "s".repeat(messages + 1) + "qqqqq");
    gate.resolve();
    await waiting;
  }
});

Deno.test("a consumer that needs more at once is handed it without recursion", async () => {
  await nextTurn();
  let left = 20_000;
  const { promise, resolve } = Promise.withResolvers<void>();
  const consumers = Array.from({ length: left }, () => ({ size: 0 }));
  for (const consumer of consumers) {
    const take = () => {
      if (--left === 0) resolve();
      cameBack(consumer); // it was too little: at once
    };
    if (mayHandOut(2_000, consumer)) take();
    else inTurn(take, consumer);
  }
  await promise;
});
