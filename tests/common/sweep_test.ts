import { assert, assertEquals, assertThrows } from "@std/assert";
import { deadline } from "../../common/deadline.ts";
import {
  type Clock,
  MIN_GAP,
  type Sweepable,
  Sweeper,
  unwatch,
  watch,
} from "../../common/sweep.ts";
import { random } from "../_util/random.ts";

/** The sweep timer does not keep a process alive by itself; here nothing else would. */
function testAwake(name: string, body: () => Promise<void>): void {
  Deno.test(name, { timeout: 10_000 }, async () => {
    const awake = setInterval(() => {}, 60_000);
    try {
      await body();
    } finally {
      clearInterval(awake);
    }
  });
}

testAwake("a watched entry is asked when its time has come, not before", async () => {
  const asked = Promise.withResolvers<number>();
  const at = performance.now() + 20;
  const entry: Sweepable = {
    sweep(now) {
      if (now < at) return at;
      asked.resolve(now);
      return Infinity;
    },
  };
  watch(entry, at);
  assert(await asked.promise >= at);
  unwatch(entry);
});

testAwake("an entry is asked again when it says, until it is forgotten", async () => {
  const enough = Promise.withResolvers<void>();
  let asked = 0;
  const entry: Sweepable = {
    sweep(now) {
      if (++asked === 4) {
        unwatch(entry);
        enough.resolve();
      }
      return now + 1;
    },
  };
  watch(entry, performance.now());
  await enough.promise;
  await new Promise((resolve) => setTimeout(resolve, 30)); // long enough for a fifth time
  assertEquals(asked, 4);
});

testAwake("an earlier deadline is not held up by a later one", async () => {
  const order: string[] = [];
  const early = Promise.withResolvers<void>();
  const calledOff = deadline(600_000, () => order.push("late"));
  deadline(5, () => {
    order.push("early");
    early.resolve();
  });
  await early.promise;
  calledOff();
  assertEquals(order, ["early"]);
});

testAwake("deadlines come in the order of their times", async () => {
  const order: number[] = [];
  await Promise.all([40, 1, 20].map((ms) =>
    new Promise<void>((resolve) =>
      deadline(ms, () => {
        order.push(ms);
        resolve();
      })
    )
  ));
  assertEquals(order, [1, 20, 40]);
});

testAwake("a deadline may set the next one while it is being asked", async () => {
  await new Promise<void>((resolve) => deadline(1, () => deadline(1, resolve)));
});

testAwake("a deadline that was called off, or is infinite, never comes", async () => {
  let came = false;
  const calledOff = deadline(1, () => came = true);
  calledOff();
  calledOff();
  deadline(Infinity, () => came = true)();
  await new Promise<void>((resolve) => deadline(20, resolve));
  assertEquals(came, false);
});

testAwake("a deadline further away than a timer can be set is no deadline now", async () => {
  let came = false;
  const calledOff = deadline(2 ** 40, () => came = true);
  await new Promise<void>((resolve) => deadline(5, resolve));
  assertEquals(came, false);
  calledOff();
});

/** A clock that only moves when it is told, in steps of whole milliseconds as timers do. */
class TestClock implements Clock {
  time = 0;
  runs = 0;
  #timers = new Set<{ act: () => void; at: number }>();

  now(): number {
    return this.time;
  }

  set(act: () => void, ms: number): () => void {
    assert(Number.isInteger(ms) && ms >= 0, `a timer of ${ms} ms`);
    const timer = { act, at: this.time + ms };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass up to `end`. */
  runTo(end: number): void {
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      this.runs++;
      next.act();
    }
    this.time = end;
  }
}

/** Notes each time at which it is asked, and says when next. */
class Asked implements Sweepable {
  readonly times: number[] = [];

  constructor(readonly next: (now: number) => number) {}

  sweep(now: number): number {
    this.times.push(now);
    return this.next(now);
  }
}

for (const count of [1, 8_000, 100_000]) {
  Deno.test(`of ${count} entries each is asked in time, never early, and no more often`, () => {
    const clock = new TestClock();
    const sweeper = new Sweeper(clock);
    const entries = Array.from({ length: count }, (_, index) => {
      const at = 100 + (index * 7919) % 900; // in no order
      const entry = new Asked(() => Infinity);
      sweeper.watch(entry, at);
      return { entry, at };
    });
    clock.runTo(2_000);
    for (const { entry, at } of entries) {
      assertEquals(entry.times.length, 1);
      const late = entry.times[0] as number - at;
      assert(late >= 0 && late <= MIN_GAP, `asked ${late} ms late`);
      sweeper.unwatch(entry);
    }
    assertEquals(clock.timers, 0);
  });
}

Deno.test("10,000 entries that ask again are asked when they said, and no one else is", () => {
  const clock = new TestClock();
  const sweeper = new Sweeper(clock);
  const entries = Array.from({ length: 10_000 }, (_, index) => {
    const period = 500 + index % 1_000;
    const entry = new Asked((now) => now + period);
    sweeper.watch(entry, period);
    return { entry, period };
  });
  clock.runTo(10_000);
  for (const { entry: { times }, period } of entries) {
    let last = 0;
    for (const time of times) {
      assert(time - last >= period && time - last <= period + MIN_GAP);
      last = time;
    }
    assert(last + period + MIN_GAP >= 10_000);
  }
});

Deno.test("whatever is watched, moved up and forgotten, each is asked at its time", () => {
  const next = random(7);
  const clock = new TestClock();
  const sweeper = new Sweeper(clock);
  const due = new Map<Sweepable, number>();
  const all = Array.from({ length: 200 }, () => {
    const entry: Sweepable = {
      sweep(now) {
        const at = due.get(entry) as number;
        assert(now >= at && now <= at + MIN_GAP, `asked at ${now} instead of ${at}`);
        if (next() < 0.3) {
          due.delete(entry);
          sweeper.unwatch(entry);
          return now + 1;
        }
        const then = now + 1 + Math.floor(next() * 300);
        due.set(entry, then);
        return then;
      },
    };
    return entry;
  });
  for (let step = 0; step < 5_000; step++) {
    clock.runTo(clock.time + Math.floor(next() * 4));
    const entry = all[Math.floor(next() * all.length)] as Sweepable;
    if (next() < 0.3) {
      due.delete(entry);
      sweeper.unwatch(entry);
    } else {
      const at = clock.time + Math.floor(next() * 300);
      sweeper.watch(entry, at);
      due.set(entry, Math.min(at, due.get(entry) ?? Infinity));
    }
    for (const at of due.values()) assert(at + MIN_GAP >= clock.time, "one was not asked in time");
  }
  for (const entry of all) sweeper.unwatch(entry);
  assertEquals(clock.timers, 0);
});

Deno.test("an entry that throws does not stop the others", () => {
  const clock = new TestClock();
  const sweeper = new Sweeper(clock);
  const entry = new Asked(() => Infinity);
  sweeper.watch(
    new Asked(() => {
      throw new Error("a mistake");
    }),
    10,
  );
  sweeper.watch(entry, 20);
  assertThrows(() => clock.runTo(15), Error, "a mistake");
  clock.runTo(30);
  assertEquals(entry.times, [20]);
});

Deno.test("when very many expire together, others have their turn in between", async () => {
  const clock = new TestClock();
  const sweeper = new Sweeper(clock);
  let asked = 0;
  const work = () => {
    asked++;
    for (const end = performance.now() + 5; performance.now() < end;); // a hook that takes its time
    return Infinity;
  };
  for (let i = 0; i < 40; i++) sweeper.watch({ sweep: work }, 10);
  clock.runTo(10);
  assertEquals(asked, 40);
  assert(clock.runs > 1, "all of them in one turn");
  await new Promise((resolve) => setTimeout(resolve, 0)); // the next turn begins
});
