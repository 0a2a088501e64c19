/**
 * Lists of folders, computed once for all requests that come at the same time.
 *
 * @module
 */
import { nextTurn, spend } from "../../common/turn_budget.ts";
import { formatEntry } from "./_protocol.ts";
import type { List, Root } from "./_root.ts";
import { FileTransferError } from "./errors.ts";

/** Bytes of lists that may be on their way at one time: clients that take them slowly would otherwise
 * fill the memory. */
const MAX_HELD = 64 * 1024 * 1024;

/** Lists up to this length are never refused: they cannot fill the memory. */
const SMALL = 256 * 1024;

/** How long after a refusal slow clients are still ended early to make room, in milliseconds. */
const CROWDED_FOR = 60_000;

/** About how many characters are encoded at once. */
const PIECE = 64 * 1024;

/** A list as it goes over the wire. */
interface Listing {
  readonly body: Uint8Array;
  /** Entries that are there and not in the list, because their names cannot be asked for. */
  readonly omitted: number;
}

/** One computation, and how many wait for it or are being sent its result. */
interface Job {
  result: Promise<Listing>;
  users: number;
  bytes: number;
}

/** The computations for one folder: the one under way, and the one that follows it. */
interface ListingQueue {
  current: Job;
  next: Job | undefined;
}

/** Computes lists; one computation for each folder at a time. */
export class Listings {
  readonly #root: Root;
  readonly #maxEntries: number;
  readonly #queues = new Map<string, ListingQueue>();
  #held = 0;
  #refusedAt = -Infinity;

  constructor(root: Root, maxEntries: number) {
    this.#root = root;
    this.#maxEntries = maxEntries;
  }

  /** Whether a list had to be refused lately, because others were held in memory. */
  isCrowded(): boolean {
    return performance.now() - this.#refusedAt < CROWDED_FOR;
  }

  /**
   * Hands out the list of a folder as it is now, or later.
   *
   * @param use Sends it; the list is held in memory until that is done.
   */
  async with(folder: string, use: (listing: Listing) => Promise<void>): Promise<void> {
    const job = this.#job(folder);
    job.users++;
    try {
      await use(await job.result);
    } finally {
      if (--job.users === 0) this.#held -= job.bytes;
    }
  }

  /** The next computation that begins: one under way may have missed what has just changed. */
  #job(folder: string): Job {
    const queue = this.#queues.get(folder);
    if (queue === undefined) {
      const current = this.#start(folder, Promise.resolve());
      this.#queues.set(folder, { current, next: undefined });
      return current;
    }
    return queue.next ??= this.#start(folder, queue.current.result.then(() => {}, () => {}));
  }

  #start(folder: string, before: Promise<void>): Job {
    const job: Job = { users: 0, bytes: 0, result: before.then(() => this.#run(folder, job)) };
    job.result.catch(() => {}); // the requests that wait for it report it
    return job;
  }

  async #run(folder: string, job: Job): Promise<Listing> {
    const queue = this.#queues.get(folder);
    if (queue?.next === job) this.#queues.set(folder, { current: job, next: undefined });
    try {
      const listing = await compose(await this.#root.list(folder, this.#maxEntries));
      const { length } = listing.body;
      if (length > SMALL && this.#held > 0 && this.#held + length > MAX_HELD) {
        this.#refusedAt = performance.now();
        throw new FileTransferError("busy", "Other lists are still being sent");
      }
      if (job.users > 0) {
        job.bytes = length;
        this.#held += job.bytes;
      }
      return listing;
    } finally {
      if (this.#queues.get(folder)?.next === undefined) this.#queues.delete(folder);
    }
  }
}

async function compose({ entries, omitted }: List): Promise<Listing> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let text = "";
  for (const entry of entries) {
    text += formatEntry(entry);
    if (text.length >= PIECE) {
      pieces.push(encoder.encode(text));
      text = "";
    }
    if (spend()) await nextTurn();
  }
  pieces.push(encoder.encode(text));
  return { body: await new Blob(pieces).bytes(), omitted };
}
