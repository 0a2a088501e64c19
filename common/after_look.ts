/**
 * Turns of the event loop that pass until the runtime has looked at its sockets.
 *
 * @module
 */

/** A timer where there is no `setImmediate`: in browsers, where framing runs as well. */
export const { setImmediate = (run: () => void) => setTimeout(run) } = globalThis as {
  setImmediate?: (run: () => void) => unknown;
};

/**
 * So many turns of the event loop pass until the async runtime has surely looked at its sockets: it does
 * so when it has nothing else to do, or once in 61 turns, and what it finds arrives in the next.
 */
const TURNS = 64;

let waiting: (() => void)[] = [];
let isPassing = false;

/** Calls `act` after so many turns that the runtime has looked at its sockets. */
export function afterEmptyTurns(act: () => void): void {
  let turns = 0;
  const tick = () => void (++turns < TURNS ? setImmediate(tick) : act());
  setImmediate(tick);
}

/**
 * Calls `act` when everything was handed over that the system had for any socket before this call. Timers
 * alone do not tell: those that are due come before the sockets.
 */
export function afterLook(act: () => void): void {
  waiting.push(act);
  if (!isPassing) pass();
}

/** Passes the turns, once for all that wait. */
function pass(): void {
  isPassing = waiting.length > 0;
  if (!isPassing) return;
  const acts = waiting;
  waiting = [];
  afterEmptyTurns(() => {
    try {
      for (const act of acts) act();
    } finally {
      pass();
    }
  });
}
