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
 * Data for many connections often arrives together. It is handed out to one consumer after the other, for
 * two reasons: only after a consumer's work does the clock show what that has cost, and consumers that
 * work in turns, a message each, take twice the time, because none of them finds its memory in the cache.
 * How it is known that a consumer has done its work:
 *
 * | state   | the consumer that was handed data last              | the next is handed data when               |
 * | ------- | --------------------------------------------------- | ------------------------------------------ |
 * | free    | is done, or there is none                           | it arrives                                 |
 * | begun   | may be at work, or waits for something else         | it comes back for more, or after some hops |
 * | at work | has taken a message since, and has more of them     | it comes back, or a turn has begun         |
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
 * So many microtasks a consumer has until it takes its second message or comes back for more: it takes
 * that many until it has done, after a few `await`s, what it does at once.
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
let state: "free" | "begun" | "at work" = "free";
let recipient: Recipient | undefined; // that was handed data last
let held = 0; // by that consumer, when it was handed data
let hops = 0; // that are still to come
let isHopping = false;
let isWatched = false; // the next turn of the event loop frees one that is at work
let isResuming = false;
let waiting: Waiting[] = [];
let next = 0; // the first of them that still waits

/** A connection whose program is handed data, and comes back for more. */
export interface Recipient {
  /** Messages that were decoded and that its program has not taken. */
  readonly size: number;
}

/** What waits for its turn. */
interface Waiting {
  readonly resume: () => void;
  readonly recipient: Recipient | undefined;
}

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
 * Counts a piece of data that has arrived, and asks to hand it out. Large pieces, and those that hold
 * several messages, are handed out to one consumer after the other.
 *
 * @param bytes How long the piece is.
 * @param to Who takes several messages from it, if it may hold some.
 * @returns Whether it may be handed out now: otherwise ask with {@linkcode inTurn} to be called.
 */
export function mayHandOut(bytes: number, to?: Recipient): boolean {
  const isTurnOver = spend(bytes);
  if (bytes <= SMALL) return true;
  if (isTurnOver) return false;
  return (to === undefined && bytes <= LARGE) || mayHandOutAlone(to);
}

/**
 * Asks to hand out what its consumer works at for long, such as a batch of many messages.
 *
 * @returns Whether it may be handed out now: otherwise ask with {@linkcode inTurn} to be called.
 */
export function mayHandOutAlone(to?: Recipient): boolean {
  if (state !== "free") return to !== undefined && recipient === to; // its turn has not ended
  if (isOver) return false;
  if (!isTimed) hasLasted(); // has it timed
  handOut(to);
  return true;
}

/** Whether others wait to be handed data in this turn. */
export function othersWait(): boolean {
  return next < waiting.length;
}

/** Says that a consumer has come back for more: what it was handed is done. */
export function cameBack(from: Recipient): void {
  if (recipient === from && state !== "free") resumeNext();
}

/** Calls `resume` when it may, in this turn or in one of the next, after those that asked before. */
export function inTurn(resume: () => void, to?: Recipient): void {
  waiting.push({ resume, recipient: to });
  if (state === "free") endTurn();
}

/** Calls `resume` in one of the next turns, after those that asked before. */
export function whenTurn(resume: () => void, to?: Recipient): void {
  waiting.push({ resume, recipient: to });
  endTurn();
}

/** Settles when what {@linkcode mayHandOutAlone} refused may be handed out. */
export function myTurn(to?: Recipient): Promise<void> {
  return new Promise((resolve) => inTurn(resolve, to));
}

/** Settles in one of the next turns, after those that asked before. */
export function nextTurn(to?: Recipient): Promise<void> {
  return new Promise((resolve) => whenTurn(resolve, to));
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
  resumeNext();
}

function handOut(to: Recipient | undefined): void {
  state = "begun";
  recipient = to;
  hops = HOPS;
  if (isHopping) return;
  isHopping = true;
  READY.then(hop);
}

/** Lets the one that was handed data begin its work. */
function hop(): void {
  if (hops === HOPS) held = recipient?.size ?? 0; // only now: it has decoded what it was handed
  if (--hops > 0) return void READY.then(hop); // a third of what queueMicrotask() costs
  isHopping = false;
  if (state !== "begun") return;
  const left = recipient?.size ?? 0;
  if (left === 0 || left >= held) return resumeNext();
  state = "at work";
  if (isWatched) return;
  isWatched = true;
  setImmediate(() => {
    isWatched = false;
    if (state === "at work") resumeNext(); // it waits for something else: all microtasks have run
  });
}

/** Resumes the next that waits. One that comes back at once, because it needs more, is no recursion. */
function resumeNext(): void {
  state = "free";
  if (isResuming) return;
  isResuming = true;
  while (state === "free" && !isOver && next < waiting.length) {
    if (hasLasted()) { // no one knows what a consumer does with what it is handed
      endTurn();
      break;
    }
    const { resume, recipient } = waiting[next++] as Waiting;
    handOut(recipient);
    resume();
  }
  isResuming = false;
  if (next < waiting.length || next === 0) return;
  waiting = [];
  next = 0;
}
