/**
 * What the sockets have already.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/**
 * So many turns of the event loop pass until the async runtime has surely looked at its sockets: it does
 * so when it has nothing else to do, or once in 61 turns, and what it finds arrives in the next.
 */
const TURNS = 64;

let waiting: (() => void)[] = [];
let isPassing = false;

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
  let turns = 0;
  const tick = () => {
    if (++turns < TURNS) return void setImmediate(tick);
    try {
      for (const act of acts) act();
    } finally {
      pass();
    }
  };
  setImmediate(tick);
}
