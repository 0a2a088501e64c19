/**
 * A budget of time for each turn of the event loop.
 *
 * Data that is in memory already (a message decoded, bytes buffered, a read that was ready) reaches
 * its consumer in a microtask, and microtasks run before anything else. While one connection keeps
 * finding data in memory, no timer fires, no signal arrives and no other connection is served. So
 * everything that hands out data counts it here, whatever the connection, and waits for the next turn
 * once this one has lasted {@linkcode TURN} milliseconds.
 *
 * Those that wait resume in the order in which they asked, and only while the new turn has time left.
 * Without a flood no turn lasts that long, and counting costs an addition.
 *
 * @module
 */

import { afterEmptyTurns, setImmediate } from "./after_look.ts";

/** How long one turn hands out data, in milliseconds: about what everyone else may have to wait. */
export const TURN = 12;
/** The clock is read once in so many steps: reading it costs as much as handing out a message. */
const STEPS_PER_LOOK = 32;
/** So many bytes count as one step: searching them costs about what handing out a message does. */
const BYTES_PER_STEP = 8 * 1024;
/**
 * A piece of data no longer than this is not held back when it arrives, so that a connection with
 * little to say does not wait for those that flood. The runtime bounds how many arrive in a turn.
 */
export const SMALL = 1024;
/** A longer piece than this is the sign of a flood or of a bulk transfer. */
const LARGE = 32 * 1024;

/**
 * So many microtasks pass between two that are handed data: it takes that many until a consumer has
 * done, after a few `await`s, what it does at once. Only then does the clock show what that has cost.
 */
const HOPS = 8;

const READY = Promise.resolve();

/**
 * After so many milliseconds of work without such empty turns they come in any case: turns that end by
 * themselves need not have let the runtime look at its sockets.
 */
const LONGEST_BUSY = 40;

let lookedAt = 0; // when the sockets were surely looked at last
let began = 0; // when this turn began, on the clock of performance.now()
let isTimed = false; // since then, no other turn of the event loop has begun
let steps = 0; // since the clock was read
let isOver = false; // and the next one is on its way
let isHandingOut = false; // and the one that was handed data is at work
let hops = 0; // that are still to come
let waiting: (() => void)[] = [];
let next = 0; // the first of them that still waits

/**
 * Counts work: a message, a call or a piece of data handed out is one step.
 *
 * @param bytes How many bytes were moved or searched for it.
 * @param count How many steps it was.
 * @returns Whether the turn is over: then wait with {@linkcode whenTurn} or {@linkcode nextTurn}
 * before the work is resumed.
 */
export function spend(bytes = 0, count = 1): boolean {
  steps += count + bytes / BYTES_PER_STEP;
  return isOver || (steps >= STEPS_PER_LOOK && look());
}

/**
 * Counts a piece of data that has arrived, and asks to hand it out. Large pieces are handed out one at a
 * time, so that the clock is read after each, also when many are ready together.
 *
 * @param bytes How long the piece is.
 * @returns Whether it may be handed out now: otherwise ask with {@linkcode inTurn} to be called.
 */
export function mayHandOut(bytes: number): boolean {
  const isTurnOver = spend(bytes);
  if (bytes <= SMALL) return true;
  if (isTurnOver) return false;
  return bytes <= LARGE || mayHandOutAlone();
}

/**
 * Asks to hand out what its consumer works at for long, such as a large piece or a batch of many
 * messages: one at a time.
 *
 * @returns Whether it may be handed out now: otherwise ask with {@linkcode inTurn} to be called.
 */
export function mayHandOutAlone(): boolean {
  if (isOver || isHandingOut) return false;
  isHandingOut = true;
  startHops();
  return true;
}

/** Calls `resume` when it may, in this turn or in one of the next, after those that asked before. */
export function inTurn(resume: () => void): void {
  waiting.push(resume);
  if (!isHandingOut) endTurn();
}

/** Calls `resume` in one of the next turns, after those that asked before. */
export function whenTurn(resume: () => void): void {
  waiting.push(resume);
  endTurn();
}

/** Settles when what {@linkcode mayHandOutAlone} refused may be handed out. */
export function myTurn(): Promise<void> {
  return new Promise(inTurn);
}

/** Settles in one of the next turns, after those that asked before. */
export function nextTurn(): Promise<void> {
  return new Promise(whenTurn);
}

/**
 * Settles in the next turn of the event loop, whether it has time left or not: for work that no flood
 * may put off and that bounds itself, such as accepting connections.
 */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function look(): boolean {
  if (!hasLasted()) steps = 0;
  return steps > 0;
}

/** Whether this turn has lasted as long as it may; the first to ask in a turn has it timed. */
function hasLasted(): boolean {
  const now = performance.now();
  if (now - lookedAt >= LONGEST_BUSY) return true;
  if (isTimed) return now - began >= TURN;
  began = now;
  isTimed = true;
  setImmediate(() => isTimed = false); // the turn has ended by itself
  return false;
}

function endTurn(): void {
  if (isOver) return;
  isOver = true;
  afterEmptyTurns(begin); // until the sockets were looked at
}

function begin(): void {
  lookedAt = performance.now();
  steps = 0;
  isOver = false;
  isHandingOut = true;
  resumeNext();
}

function startHops(): void {
  hops = HOPS;
  READY.then(hop);
}

/** Lets the one that was handed data do its work, and resumes the next. */
function hop(): void {
  if (--hops > 0) READY.then(hop); // a third of what queueMicrotask() costs
  else resumeNext();
}

function resumeNext(): void {
  if (isOver || next === waiting.length) {
    isHandingOut = false;
    if (next > 0) waiting = waiting.slice(next);
    next = 0;
    return;
  }
  if (hasLasted()) {
    endTurn();
    return resumeNext();
  }
  const resume = waiting[next++] as () => void;
  resume();
  startHops();
}
