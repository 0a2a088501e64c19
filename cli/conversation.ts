/** One connection between the standard streams and a peer. @module */
import { isNetError } from "../errors.ts";
import type { RelaySide } from "../apps/relay/mod.ts";
import type { TcpConnection } from "../mod.ts";
import type { Framing } from "../terminal/framing.ts";
import { FrameReader } from "./frames.ts";
import { EventClock } from "../common/event_clock.ts";
import type { PeerReport } from "../common/peer_report.ts";
import { AdaptiveSize } from "../common/adaptive_size.ts";
import { pump } from "../common/pump.ts";
import { nextTurn, spend } from "../common/turn_budget.ts";
import type { Printer } from "./output.ts";
import type { Watch } from "./watch.ts";

/** What receiving begins with. */
const MIN_SIZE = 64 * 1024;
/** What it grows to while reads fill it; there are two such buffers. */
const MAX_SIZE = 1024 * 1024;
/** What is decoded at once: the rest of it is copied for each piece that is shown. */
const SLICE = 16 * 1024;

/** What a conversation is made from. */
export interface ConversationInit {
  readonly conn: TcpConnection;
  /** Which side we are, in what is told to the watch. */
  readonly own: RelaySide;
  /** 1 for the first one of this process. */
  readonly id: number;
  readonly print: Printer;
  /** Says what the peer does wrong. */
  readonly notes: PeerReport;
  readonly watch: Watch | undefined;
  readonly framing: Framing | undefined;
}

/** A connection whose peer is shown on the output and sent the input. */
export class Conversation {
  /** Settles when nothing more can be sent. */
  readonly unsendable: Promise<void>;
  /** What went wrong first. */
  failure: unknown;

  readonly #init: ConversationInit;
  readonly #peer: RelaySide;
  readonly #clock: EventClock;
  readonly #frames: FrameReader | undefined;
  readonly #bytes = { client: 0, target: 0 };
  #first: RelaySide | "relay" | undefined;
  #markUnsendable: () => void;

  constructor(init: ConversationInit) {
    this.#init = init;
    this.#peer = init.own === "client" ? "target" : "client";
    this.#clock = new EventClock(init.id);
    const { conn, framing, notes, watch } = init;
    const note = (error: unknown) => notes.line(error, conn.remoteAddr);
    const keepFrames = watch?.printsData === false;
    this.#frames = framing === undefined
      ? undefined
      : new FrameReader(framing, note, { keepFrames });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.unsendable = promise;
    this.#markUnsendable = resolve;
    const { localAddr, remoteAddr } = init.conn;
    const [client, target] = init.own === "client"
      ? [localAddr, remoteAddr]
      : [remoteAddr, localAddr];
    init.watch?.observe({ ...this.#clock.now(), type: "open", client, target });
  }

  /** Sends bytes; if that fails, remembers why. It never rejects. */
  async send(data: Uint8Array): Promise<void> {
    const { conn, own, watch } = this.#init;
    const writing = conn.write(data);
    writing.catch(() => {}); // it is awaited below
    const offset = this.#bytes[own];
    this.#bytes[own] += data.length;
    try {
      // While the system is busy writing.
      await watch?.observe({ ...this.#clock.now(), type: "data", from: own, offset, data });
      await writing;
    } catch (error) {
      this.#fail(this.#peer, error);
      this.#markUnsendable();
    }
  }

  /** Ends our side; the peer can still answer. */
  async endSending(): Promise<void> {
    const { conn, own, watch } = this.#init;
    this.#first ??= own;
    this.#markUnsendable();
    watch?.observe({ ...this.#clock.now(), type: "end", from: own });
    await conn.closeWrite().catch((error) => this.#fail(this.#peer, error));
  }

  /** Shows what the peer sends, up to its end. It never rejects. */
  async receive(): Promise<void> {
    try {
      await this.#receiveAll();
      this.#first ??= this.#peer;
      this.#init.watch?.observe({ ...this.#clock.now(), type: "end", from: this.#peer });
    } catch (error) {
      this.#fail(this.#peer, error);
      this.#markUnsendable();
    }
  }

  /** Closes the connection: properly, unless something has gone wrong. */
  async close(): Promise<void> {
    const { conn, watch, own } = this.#init;
    if (this.failure !== undefined) conn.abort();
    await conn.close();
    const reason = this.failure instanceof Error ? this.failure.message : undefined;
    watch?.observe({
      ...this.#clock.now(),
      type: "close",
      first: this.#first ?? own,
      reason,
      fromClient: this.#bytes.client,
      fromTarget: this.#bytes.target,
    });
  }

  #fail(side: RelaySide, error: unknown): void {
    const isOurs = error instanceof Deno.errors.TimedOut || !isNetError(error as Error);
    this.#first ??= isOurs ? this.#init.own : side;
    this.failure ??= error;
  }

  async #receiveAll(): Promise<void> {
    await pump(new AdaptiveSize(MIN_SIZE, MAX_SIZE), {
      fill: (buffer) => this.#read(buffer),
      drain: (data) => this.#show(data),
    });
    if (this.#frames !== undefined) await this.#printFrames(this.#frames, null);
  }

  async #read(buffer: Uint8Array): Promise<number> {
    try {
      return await this.#init.conn.read(buffer) ?? 0;
    } catch (error) {
      if (!(error instanceof Deno.errors.UnexpectedEof)) throw error;
      // Many TLS programs just hang up, ncat among them.
      const what = "the peer hung up without ending TLS, something may be missing";
      this.#init.notes.line(what, this.#init.conn.remoteAddr);
      return 0;
    }
  }

  async #show(data: Uint8Array): Promise<void> {
    const { watch } = this.#init;
    const from = this.#peer;
    const offset = this.#bytes[from];
    this.#bytes[from] += data.length;
    if (watch !== undefined) {
      await watch.observe({ ...this.#clock.now(), type: "data", from, offset, data });
    }
    if (this.#frames === undefined) await this.#print(data);
    else await this.#printFrames(this.#frames, data);
  }

  async #print(data: Uint8Array): Promise<void> {
    const { print, watch } = this.#init;
    if (data.length > 0 && watch?.printsData !== false) await print(data);
  }

  /** Shows the messages that these bytes complete, or that the end of the stream does. */
  async #printFrames(frames: FrameReader, data: Uint8Array | null): Promise<void> {
    if (data === null) {
      while (await this.#printPiece(frames, () => frames.end()));
      return;
    }
    for (let at = 0; at < data.length; at += SLICE) {
      let input: Uint8Array | undefined = data.subarray(at, at + SLICE);
      while (await this.#printPiece(frames, () => frames.push(input))) input = undefined;
    }
  }

  /** Shows a piece of the messages, also those before an error. Answers whether there may be more. */
  async #printPiece(frames: FrameReader, decode: () => boolean): Promise<boolean> {
    const { watch } = this.#init;
    try {
      const mayBeMore = decode();
      if (spend() || mayBeMore) await nextTurn();
      return mayBeMore;
    } finally {
      const received = frames.takeFrames();
      for (const frame of received) {
        const event = { ...this.#clock.now(), ...frame, from: this.#peer, reads: 1 };
        await watch?.observe({ ...event, type: "message" });
      }
      // Messages may be far larger as JSON than on the wire: a piece of them waits at a time.
      if (received.length > 0) await watch?.flush();
      await this.#print(frames.takeLines());
    }
  }
}
