import { assert, assertEquals } from "@std/assert";
import { Watchdog, type WatchdogLimits } from "../../tcp/_watchdog.ts";
import { random } from "../_util/random.ts";

/** What a watchdog looks at, and where it says that a timeout has passed. */
function watched(limits: WatchdogLimits) {
  const reader = { bytesReceived: 0 };
  const writer = { bytesSent: 0, active: false };
  const over: [string, number][] = [];
  const began = performance.now();
  const expire = (which: string, after: number) => void over.push([which, after]);
  const dog = new Watchdog(reader, writer, limits, expire);
  const ended = performance.now();
  dog.stop(); // the test says what time it is
  return { reader, writer, over, dog, began, slack: ended - began };
}

/**
 * Sweeps whenever the watchdog asks for it, and lets `happen` at its time in between.
 *
 * @returns When the watchdog said that a timeout has passed.
 */
function run(
  { dog, over, began }: ReturnType<typeof watched>,
  { at, happen }: { at: number; happen: () => void },
): number {
  let now = began;
  let hasHappened = false;
  for (let looks = 0; looks < 10_000; looks++) {
    const next = dog.sweep(now);
    if (over.length > 0) return now;
    assert(next > now && next < Infinity);
    if (!hasHappened && at <= next) {
      hasHappened = true;
      happen();
    }
    now = next;
  }
  throw new Error("it never ended");
}

const chance = random(3);

for (const length of [40, 1_600, 300_000]) {
  Deno.test(`a write that hangs is ended after ${length} ms, at most an eighth late`, () => {
    for (let round = 0; round < 200; round++) {
      const all = watched({ idle: Infinity, write: length, lifetime: Infinity });
      const { writer, over, began, slack } = all;
      const at = began + length + chance() * 2 * length; // there was nothing to write before
      const after = run(all, {
        at,
        happen() {
          writer.active = true;
        },
      }) - at;
      assertEquals(over, [["write", length]]);
      assert(after >= length - slack, `after ${after} of ${length} ms`);
      assert(after <= length * 9 / 8 + slack + 1, `after ${after} of ${length} ms`);
    }
  });

  Deno.test(`a silent connection is ended after ${length} ms, at most an eighth late`, () => {
    for (let round = 0; round < 200; round++) {
      const all = watched({ idle: length, write: 10 * length, lifetime: Infinity });
      const { reader, over, began, slack } = all;
      const at = began + chance() * length / 2;
      const after = run(all, {
        at,
        happen() {
          reader.bytesReceived++;
        },
      }) - at;
      assertEquals(over, [["idle", length]]);
      assert(after >= length - slack, `after ${after} of ${length} ms`);
      assert(after <= length * 9 / 8 + slack + 1, `after ${after} of ${length} ms`);
    }
  });
}
