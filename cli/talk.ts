/**
 * The standard input and output, and what is connected to them: one peer, or several that all
 * get the input and whose words are shown one after the other.
 *
 * @module
 */
import type { RelaySide } from "../apps/relay/mod.ts";
import type { TcpConnection } from "../mod.ts";
import { Conversation } from "./conversation.ts";
import type { Framing } from "../terminal/framing.ts";
import { FrameEncoder } from "./frames.ts";
import { PeerReport } from "../common/peer_report.ts";
import { printNote } from "../terminal/output.ts";
import { nextTurn } from "../common/turn_budget.ts";
import { readInput } from "./input.ts";
import { StandardOutput } from "./output.ts";
import type { Watch } from "./watch.ts";

/** Bytes of the input whose lines are made into messages in one turn of the event loop. */
const SLICE = 16 * 1024;

/** How to talk. */
export interface TalkOptions {
  /** Which side we are. */
  readonly own: RelaySide;
  /** Whether peers come and go; otherwise there is one. */
  readonly isOpen: boolean;
  /** Whether the end of the input ends our side of the connection. */
  readonly halfClose: boolean;
  /** Whether to end as soon as the peer ends its side, whatever the input still holds. */
  readonly quit: boolean;
  readonly framing: Framing | undefined;
  readonly watch: Watch | undefined;
}

/** All peers that are connected to the standard streams. */
export class Talk {
  /** Lines of the input that could not be sent. */
  failures = 0;

  readonly #options: TalkOptions;
  /** Says what peers do wrong. */
  readonly notes: PeerReport = new PeerReport({ write: printNote });
  readonly #output = new StandardOutput();
  readonly #peers = new Set<Conversation>();
  readonly #inputEnd = Promise.withResolvers<void>();
  #inputEnded = false;
  #reading = false;
  #arrival: PromiseWithResolvers<void> | undefined;
  #count = 0;

  constructor(options: TalkOptions) {
    this.#options = options;
  }

  /** How many peers there are now. */
  get size(): number {
    return this.#peers.size;
  }

  /**
   * Talks to a peer until both sides have ended, and closes the connection.
   *
   * @returns What went wrong, `undefined` if nothing did.
   */
  async converse(conn: TcpConnection): Promise<unknown> {
    const { own, watch, framing, isOpen } = this.#options;
    const print = this.#output.printer();
    const id = ++this.#count;
    const peer = new Conversation({ conn, own, id, print, notes: this.notes, watch, framing });
    this.#peers.add(peer);
    this.#arrival?.resolve();
    this.#arrival = undefined;
    this.#begin();
    const ending = isOpen ? undefined : this.#endWithInput(peer);
    await peer.receive();
    // The peer has ended its side, but may still want to hear the rest.
    const isOver = Deno.stdin.isTerminal() || this.#options.quit;
    if (!isOver) await Promise.race([this.#inputEnd.promise, peer.unsendable]);
    if (!isOver && this.#inputEnded) await ending;
    this.#peers.delete(peer);
    await peer.close();
    this.notes.close();
    return peer.failure;
  }

  async #endWithInput(peer: Conversation): Promise<void> {
    await this.#inputEnd.promise;
    if (this.#options.halfClose) await peer.endSending();
  }

  /** Begins to read the input, once there is a peer to send it to. */
  #begin(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#read().finally(() => {
      this.#inputEnded = true;
      this.#inputEnd.resolve();
    });
  }

  async #read(): Promise<void> {
    const { framing } = this.#options;
    const frames = framing === undefined ? undefined : new FrameEncoder(framing, printNote);
    try {
      await readInput((piece) =>
        frames === undefined ? this.#sendAll(piece) : this.#sendFrames(frames, piece)
      );
    } catch (error) {
      this.failures++;
      printNote(`Cannot read the input: ${error instanceof Error ? error.message : error}`);
    }
    if (frames === undefined) return;
    await this.#sendAll(frames.end());
    this.failures += frames.failures;
  }

  /** Sends the messages of a piece of the input, in turns: it may hold very many. */
  async #sendFrames(frames: FrameEncoder, piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length; at += SLICE) {
      await this.#sendAll(frames.push(piece.subarray(at, at + SLICE)));
      await nextTurn();
    }
  }

  async #sendAll(data: Uint8Array): Promise<void> {
    if (data.length === 0) return;
    while (this.#peers.size === 0) {
      this.#arrival ??= Promise.withResolvers();
      await this.#arrival.promise;
    }
    await Promise.all([...this.#peers].map((peer) => peer.send(data)));
  }
}
