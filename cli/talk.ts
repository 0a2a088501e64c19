/**
 * The standard input and output, and those who are connected to them: one peer, or several that all
 * get the input and whose words are shown one behind the other.
 *
 * @module
 */
import type { RelaySide } from "../apps/relay/mod.ts";
import type { TcpConnection } from "../mod.ts";
import { Conversation } from "./conversation.ts";
import { FrameEncoder, type Framing } from "./frames.ts";
import { PeerNotes } from "../apps/peer_notes.ts";
import { printNote } from "../apps/output.ts";
import { readInput } from "./input.ts";
import { Output } from "./output.ts";
import type { Watch } from "./watch.ts";

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

/** Everybody who is connected to the standard streams. */
export class Talk {
  /** Lines of the input that could not be sent. */
  failures = 0;

  readonly #options: TalkOptions;
  /** Says what peers do wrong. */
  readonly notes: PeerNotes = new PeerNotes();
  readonly #output = new Output();
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
    this.notes.flush();
    return peer.failure;
  }

  async #endWithInput(peer: Conversation): Promise<void> {
    await this.#inputEnd.promise;
    if (this.#options.halfClose) await peer.endSending();
  }

  /** Begins to read the input, once there is somebody to hear it. */
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
      await readInput((piece) => this.#sendAll(frames === undefined ? piece : frames.push(piece)));
    } catch (error) {
      this.failures++;
      printNote(`Cannot read the input: ${error instanceof Error ? error.message : error}`);
    }
    if (frames === undefined) return;
    await this.#sendAll(frames.end());
    this.failures += frames.failures;
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
