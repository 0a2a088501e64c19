/**
 * The writing half of a connection: plain writes and messages, in the order of the calls.
 *
 * @module
 */
import type { Turn } from "../_internal/turns.ts";
import type { Link } from "./_link.ts";
import { Outbox } from "./_outbox.ts";
import { Writer } from "./_writer.ts";

/** What leaves a connection. */
export class Output {
  /** What goes to the socket. */
  readonly writer: Writer;
  readonly #link: Link;
  readonly #maxQueue: number;
  #outbox: Outbox | undefined; // most connections have no codec

  constructor(link: Link, turn: Turn, maxQueue: number) {
    this.writer = new Writer(link, turn, maxQueue);
    this.#link = link;
    this.#maxQueue = maxQueue;
  }

  /** Where messages are collected. */
  get outbox(): Outbox {
    return this.#outbox ??= new Outbox(this.#link, this.writer, this.#maxQueue);
  }

  /** Bytes that wait after the write under way, messages included. */
  get queuedBytes(): number {
    return this.writer.queuedBytes + (this.#outbox?.collectedBytes ?? 0);
  }

  /** Writes after everything that was written or sent before. */
  write(data: Uint8Array): Promise<void> {
    this.#outbox?.handOver();
    return this.writer.write(data);
  }

  /** Ends our side after everything that was written or sent before. */
  end(): Promise<void> {
    this.#outbox?.handOver();
    return this.writer.end();
  }

  /** Takes nothing more: later writes are told `reason`. What was taken still leaves. */
  refuse(reason: unknown): void {
    this.#outbox?.handOver();
    this.writer.refuse(reason);
  }
}
