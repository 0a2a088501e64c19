/**
 * Fair turns between busy connections.
 *
 * The async runtime under Deno serves at most 128 ready sockets in one turn of its loop and, when
 * more are ready, prefers those that became ready last: with 256 busy connections some are served
 * twenty times as often as others, with 1,000 some are never served. The cure is to make those that
 * had their share wait until the others had theirs.
 *
 * Reads and writes of the sockets are counted in rounds of about {@linkcode ROUND} for all connections
 * together. While no more than {@linkcode CROWD} connections take part in a round, none of them ever waits.
 * With more, a connection that has had its share waits for the next round, which begins as soon as a
 * tick of the timer passes in which there was hardly a read or write.
 *
 * @module
 */

/** How many connections the runtime serves fairly by itself, with some room to spare. */
export const CROWD = 110;
/** About how many reads and writes make a round: long enough that its last, idle tick costs a few per cent. */
export const ROUND = 16_384;
/** The smallest share of a connection in one round. */
export const MIN_SHARE = 8;
/** Fewer reads and writes than this in one tick, and the loop has time to spare: no one needs to wait. */
export const QUIET = 64;

let round = 0;
let members = 0; // connections that took part in this round
let steps = 0; // reads and writes of all of them in this round
let stepsAtTick = 0;
let expected = 0; // as many as in the last round: the first to read must not take for the others
let share = Infinity;
let next: Promise<void> | undefined;
let open: (() => void) | undefined;

/** What a connection keeps to take part in the rounds. */
export interface Turn {
  /** The last round it took part in. */
  round: number;
  /** How often it read or wrote in that round. */
  steps: number;
}

/**
 * Counts one read or write of a connection's socket.
 *
 * @returns What it must wait for first, or `undefined` if it may continue.
 */
export function takeTurn(turn: Turn): Promise<void> | undefined {
  if (turn.round !== round) {
    turn.round = round;
    turn.steps = 0;
    if (++members > expected && members > CROWD) share = shareOf(members);
  }
  steps++;
  if (++turn.steps >= share) return next ??= waitForOthers();
  if (steps >= ROUND && members <= CROWD) begin();
  return undefined;
}

function begin(): void {
  round++;
  expected = members;
  share = expected > CROWD ? shareOf(expected) : Infinity;
  members = 0;
  steps = 0;
}

function shareOf(crowd: number): number {
  return Math.max(MIN_SHARE, Math.ceil(ROUND / crowd));
}

function waitForOthers(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  open = resolve;
  stepsAtTick = steps;
  setTimeout(tick, 0);
  return promise;
}

function tick(): void {
  if (steps - stepsAtTick >= QUIET) {
    stepsAtTick = steps;
    setTimeout(tick, 0);
    return;
  }
  begin();
  const release = open;
  next = undefined;
  open = undefined;
  release?.();
}
