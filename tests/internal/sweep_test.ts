import { assert, assertEquals } from "@std/assert";
import { deadline } from "../../_internal/deadline.ts";
import { type Sweepable, unwatch, watch } from "../../_internal/sweep.ts";

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
