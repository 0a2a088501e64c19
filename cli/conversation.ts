/** One connection between the standard streams and a peer. @module */
import type { RelaySide } from "../apps/relay/mod.ts";
import { AdaptiveSize } from "../common/adaptive_size.ts";
import type { PeerReport } from "../common/peer_report.ts";
import { pump } from "../common/pump.ts";
import { nextTurn, spend } from "../common/turn_budget.ts";
import { isNetError } from "../errors.ts";
import type { TcpConnection } from "../tcp/mod.ts";
import type { FrameReader, MessageFormat } from "./frames.ts";
import type { Printer, StandardOutput } from "./output.ts";
import { Traffic, type Watch } from "./watch.ts";

/** What receiving begins with. */
const MIN_SIZE = 64 * 1024;
/** What it grows to while reads fill it; there are two such buffers. */
const MAX_SIZE = 1024 * 1024;
/** What is decoded at once: the rest of it is copied for each piece that is shown. */
const SLICE = 16 * 1024;

/** What all conversations of a process share. */
export interface Surroundings {
  /** Which side we are. */
  readonly own: RelaySide;
  readonly framing: MessageFormat | undefined;
  readonly watch: Watch | undefined;
  /** Says what the peers do wrong. */
  readonly notes: PeerReport;
  readonly output: StandardOutput;
}

/** A connection whose peer is shown on the output and sent the input. */
export class Conversation {
  /** Settles when nothing more can be sent. */
  readonly unsendable: Promise<void>;
  /** What went wrong first. */
  failure: unknown;

  readonly #conn: TcpConnection;
  readonly #notes: PeerReport;
  readonly #watch: Watch | undefined;
  readonly #print: Printer;
  readonly #traffic: Traffic;
  readonly #frames: FrameReader | undefined;
  #markUnsendable: () => void;

  /** Begins with a connection; `id` is 1 for the first one of this process. */
  constructor(id: number, conn: TcpConnection, surroundings: Surroundings) {
    const { own, framing, watch, notes, output } = surroundings;
    const { localAddr, remoteAddr } = conn;
    this.#conn = conn;
    this.#notes = notes;
    this.#watch = watch;
    this.#print = output.printer();
    this.#traffic = new Traffic(watch, { id, own, localAddr, remoteAddr });
    const note = (error: unknown) => notes.line(error, remoteAddr);
    this.#frames = framing?.reader(note, watch?.printsData === false);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.unsendable = promise;
    this.#markUnsendable = resolve;
  }

  /** Sends bytes; if that fails, remembers why. It never rejects. */
  async send(data: Uint8Array): Promise<void> {
    const writing = this.#conn.write(data);
    writing.catch(() => {}); // it is awaited below
    try {
      await this.#traffic.data(this.#traffic.own, data); // while the system is busy writing
      await writing;
    } catch (error) {
      this.#fail(error);
      this.#markUnsendable();
    }
  }

  /** Ends our side; the peer can still answer. */
  async endSending(): Promise<void> {
    this.#markUnsendable();
    this.#traffic.end(this.#traffic.own);
    await this.#conn.closeWrite().catch((error) => this.#fail(error));
  }

  /** Shows what the peer sends, up to its end. It never rejects. */
  async receive(): Promise<void> {
    try {
      await this.#receiveAll();
      this.#traffic.end(this.#traffic.peer);
    } catch (error) {
      this.#fail(error);
      this.#markUnsendable();
    }
  }

  /** Closes the connection: properly, unless something has gone wrong. */
  async close(): Promise<void> {
    if (this.failure !== undefined) this.#conn.abort();
    await this.#conn.close();
    this.#traffic.close(this.failure instanceof Error ? this.failure.message : undefined);
  }

  #fail(error: unknown): void {
    const isOurs = error instanceof Deno.errors.TimedOut || !isNetError(error as Error);
    this.#traffic.broken(isOurs ? this.#traffic.own : this.#traffic.peer);
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
      return await this.#conn.read(buffer) ?? 0;
    } catch (error) {
      if (!(error instanceof Deno.errors.UnexpectedEof)) throw error;
      // Many TLS programs just hang up, ncat among them.
      const what = "the peer hung up without ending TLS, something may be missing";
      this.#notes.line(what, this.#conn.remoteAddr);
      return 0;
    }
  }

  async #show(data: Uint8Array): Promise<void> {
    await this.#traffic.data(this.#traffic.peer, data);
    if (this.#frames === undefined) await this.#printData(data);
    else await this.#printFrames(this.#frames, data);
  }

  async #printData(data: Uint8Array): Promise<void> {
    if (data.length > 0 && this.#watch?.printsData !== false) await this.#print(data);
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
    try {
      const mayBeMore = decode();
      if (spend() || mayBeMore) await nextTurn();
      return mayBeMore;
    } finally {
      const received = frames.takeFrames();
      for (const frame of received) await this.#traffic.message(frame);
      // Messages may be far larger as JSON than on the wire: a piece of them waits at a time.
      if (received.length > 0) await this.#watch?.flush();
      await this.#printData(frames.takeLines());
    }
  }
}
