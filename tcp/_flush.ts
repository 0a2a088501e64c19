/**
 * Whatever is sent in one turn of the event loop leaves at its end, in one write for each connection.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Something that collects messages until the end of the turn. */
export interface Flushable {
  /** Writes what was collected in this turn, if it has not left already. */
  endTurn(): void;
}

let collected: Flushable[] = [];

/** Flushes `flushable` at the end of this turn of the event loop. */
export function flushLater(flushable: Flushable): void {
  if (collected.push(flushable) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const all = collected;
  collected = [];
  for (const flushable of all) flushable.endTurn();
}
