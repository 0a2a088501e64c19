/**
 * One relayed connection: two sockets and the two directions between them.
 *
 * @module
 */
import { ClosedError, isNetError } from "../../errors.ts";
import { AdaptiveBuffer } from "../../common/adaptive_size.ts";
import type { EventClock } from "../../common/event_clock.ts";
import { nextTurn, SMALL, spend } from "../../common/turn_budget.ts";
import type { TcpConnection } from "../../tcp/mod.ts";
import { delivered } from "./_delivered.ts";
import { type Finding, Messages } from "./_messages.ts";
import type { RelayObserver, RelaySide } from "./events.ts";
import type { RelayOptions } from "./options.ts";

/** What a direction begins with: most traffic is small. */
const MIN_BUFFER = 16 * 1024;
/** What it grows to while reads fill it: fewer, larger steps when there is much. */
const MAX_BUFFER = 1024 * 1024;
/** What it grows to where reads are shown: writing them down takes longer than passing them on. */
const MAX_SHOWN_BUFFER = 256 * 1024;
/** Messages of one read that are not held back when the turn is over, so that others are served in a flood. */
const SMALL_COUNT = 16;

/** The other side. */
const OTHER = { client: "target", target: "client" } as const;

/** What a pair is made from. */
interface PairInit extends Pick<RelayOptions, "observer" | "framing"> {
  readonly client: TcpConnection;
  readonly target: TcpConnection;
  readonly reads: boolean;
  readonly clock: EventClock;
}

/** Relays until both directions are over. */
export class Pair {
  readonly #init: PairInit;
  readonly #sent = { client: 0, target: 0 };
  #first: RelaySide | "relay" | undefined;
  #reason: string | undefined;
  /** Whether one side aborted its connection: then the other one must not end as if it were complete. */
  #isCut = false;

  constructor(init: PairInit) {
    this.#init = init;
  }

  async run(): Promise<void> {
    const { client, target, observer, clock } = this.#init;
    // Not conn.signal: it also aborts when the server drains, and then connections stay open.
    client.closed.then(({ how }) => how === "aborted" ? target.abort() : target.close());
    try {
      const addresses = { client: client.remoteAddr, target: target.remoteAddr };
      await observer?.({ ...clock.now(), type: "open", ...addresses });
      await Promise.all([this.#pass("client"), this.#pass("target")]);
      if (this.#isCut) await Promise.all([cut(client), cut(target)]);
    } finally { // also when the observer threw
      await Promise.all([client.close(), target.close()]);
    }
    await observer?.({
      ...clock.now(),
      type: "close",
      first: this.#first ?? "relay",
      reason: this.#reason,
      fromClient: this.#sent.client,
      fromTarget: this.#sent.target,
    });
  }

  /** One direction, until its sender ends or one of the two is gone. */
  async #pass(side: RelaySide): Promise<void> {
    const { [side]: from, [OTHER[side]]: to, observer, reads, clock } = this.#init;
    const watch = observer && reads ? this.#watcher(side, observer) : undefined;
    const buffer = new AdaptiveBuffer(
      MIN_BUFFER,
      watch === undefined ? MAX_BUFFER : MAX_SHOWN_BUFFER,
    );
    while (true) {
      let n: number | null;
      try {
        n = await from.read(buffer.bytes);
      } catch (error) {
        return this.#broken(side, error);
      }
      if (n === null) break;
      // Little data is not held back, so that others are served while one connection floods.
      if (spend(n) && n > SMALL) await nextTurn();
      const data = buffer.bytes.subarray(0, n);
      const writing = to.write(data);
      this.#sent[side] += n;
      if (watch !== undefined) {
        writing.catch(() => {}); // it is awaited below, unless the observer throws
        const looking = watch(data); // while the system is busy writing
        if (looking !== undefined) await looking;
      }
      try {
        await writing;
      } catch (error) {
        // What it sent before it went is still read by the other direction, which then ends.
        return this.#note(OTHER[side], error);
      }
      buffer.learn(n);
    }
    this.#first ??= side;
    // After a reset the system may report an end, if a write has reported the reset before.
    const closing = this.#isCut ? cut(to) : to.closeWrite().catch(() => {}); // it has gone
    const ending = watch?.(null);
    if (ending !== undefined) await ending;
    await observer?.({ ...clock.now(), type: "end", from: side });
    await closing;
  }

  /** One side cannot be read any more: nothing can reach it either, so the other one is closed. */
  async #broken(side: RelaySide, error: unknown): Promise<void> {
    const { [side]: from, [OTHER[side]]: to } = this.#init;
    this.#note(side, error);
    if (!(error instanceof ClosedError)) from.abort();
    if (this.#isCut) await cut(to);
    else await to.close();
  }

  #note(side: RelaySide, error: unknown): void {
    const isOurs = error instanceof ClosedError || error instanceof Deno.errors.TimedOut;
    this.#first ??= isOurs ? "relay" : side;
    if (!isOurs) this.#isCut = true;
    if (!(error instanceof ClosedError) && isNetError(error)) this.#reason ??= error.message;
  }

  /** Reports each read to the observer, and `null` for the end; returns a promise only if it must wait. */
  #watcher(
    side: RelaySide,
    observer: RelayObserver,
  ): (data: Uint8Array | null) => void | Promise<void> {
    const { framing, clock } = this.#init;
    const messages = framing === undefined ? undefined : new Messages(framing);
    const tell = async (findings: Iterable<Finding>): Promise<void> => {
      const stamp = clock.now();
      let overdue = 0; // messages told after the turn was over
      for (const finding of findings) {
        const looking = observer({ ...stamp, from: side, ...finding });
        if (looking !== undefined) await looking;
        if (!spend("length" in finding ? finding.length : 0) || ++overdue <= SMALL_COUNT) continue;
        overdue = 0;
        await nextTurn();
      }
    };
    return (data) => {
      if (data === null) return tell(messages?.end() ?? []);
      const offset = this.#sent[side] - data.length;
      const looking = observer({ ...clock.now(), type: "data", from: side, offset, data });
      if (messages === undefined) return looking;
      const findings = messages.push(data);
      return looking === undefined ? tell(findings) : looking.then(() => tell(findings));
    };
  }
}

/** Aborts a connection, after what was written to it has arrived. */
async function cut(conn: TcpConnection): Promise<void> {
  await delivered(conn);
  conn.abort();
}
