/**
 * The standard input and output, and what is connected to them: one peer, or several that all
 * get the input and whose data is shown as it comes.
 *
 * @module
 */
import { PeerReport } from "../common/peer_report.ts";
import { nextTurn } from "../common/turn_budget.ts";
import type { TcpConnection } from "../tcp/mod.ts";
import { printNote } from "../terminal/output.ts";
import { Conversation, type Surroundings } from "./conversation.ts";
import type { FrameEncoder } from "./frames.ts";
import { readInput } from "./input.ts";
import { StandardOutput } from "./output.ts";

/** Bytes of the input whose lines are made into messages in one turn of the event loop. */
const SLICE = 16 * 1024;

/** How to talk. */
export interface TalkOptions extends Pick<Surroundings, "own" | "framing" | "watch"> {
  /** Whether peers come and go; otherwise there is one. */
  readonly isOpen: boolean;
  /** Whether the end of the input ends our side of the connection. */
  readonly halfClose: boolean;
  /** Whether to end as soon as the peer ends its side, even if there is more input. */
  readonly quit: boolean;
}

/** All peers that are connected to the standard streams. */
export class Talk {
  /** Says what peers do wrong. */
  readonly notes: PeerReport = new PeerReport({ write: printNote });

  readonly #options: TalkOptions;
  readonly #output = new StandardOutput();
  readonly #peers = new Set<Conversation>();
  #input: Promise<void> | undefined; // settles at its end
  #inputEnded = false;
  #arrival: PromiseWithResolvers<void> | undefined;
  #count = 0;
  #failures = 0; // lines of the input that could not be sent

  constructor(options: TalkOptions) {
    this.#options = options;
  }

  /**
   * Talks to a peer until both sides have ended, and closes the connection.
   *
   * @returns What went wrong, `undefined` if nothing did.
   */
  async converse(conn: TcpConnection): Promise<unknown> {
    const { isOpen, quit, halfClose } = this.#options;
    const surroundings = { ...this.#options, notes: this.notes, output: this.#output };
    const peer = new Conversation(++this.#count, conn, surroundings);
    this.#peers.add(peer);
    this.#arrival?.resolve();
    this.#arrival = undefined;
    // Reading begins once there is a peer to send it to.
    const input = this.#input ??= this.#read().finally(() => this.#inputEnded = true);
    const ending = isOpen || !halfClose ? undefined : input.then(() => peer.endSending());
    await peer.receive();
    // The peer has ended its side, but may still want to hear the rest.
    const isOver = Deno.stdin.isTerminal() || quit;
    if (!isOver) await Promise.race([input, peer.unsendable]);
    if (!isOver && this.#inputEnded) await ending;
    this.#peers.delete(peer);
    await peer.close();
    this.notes.close();
    return peer.failure;
  }

  /**
   * Ends the process when everything was written: the input may still wait for a line that no one wants.
   *
   * @param failure What {@linkcode Talk.converse} has returned.
   */
  async end(failure: unknown): Promise<never> {
    await this.#options.watch?.flush();
    if (failure !== undefined) throw failure;
    Deno.exit(this.#failures > 0 ? 1 : 0);
  }

  async #read(): Promise<void> {
    const frames = this.#options.framing?.encoder(printNote);
    try {
      await readInput((piece) =>
        frames === undefined ? this.#sendAll(piece) : this.#sendFrames(frames, piece)
      );
    } catch (error) {
      this.#failures++;
      printNote(`Cannot read the input: ${error instanceof Error ? error.message : error}`);
    }
    if (frames === undefined) return;
    await this.#sendAll(frames.end());
    this.#failures += frames.failures;
  }

  /** Sends the messages of a piece of the input, in turns: there may be very many. */
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
