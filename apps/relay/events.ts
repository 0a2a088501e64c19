/**
 * What a relay tells about the connections it carries.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";

/** One side of a relayed connection: who connected, or whom it is relayed to. */
export type RelaySide = "client" | "target";

/** What all events have. */
export interface RelayEventBase {
  /** The connection: 1 for the first of this relay, 2 for the second … */
  readonly id: number;
  /** When, in milliseconds since 1970. */
  readonly time: number;
  /** Milliseconds since the connection was accepted, to the microsecond. */
  readonly elapsed: number;
}

/** A client has connected, and so has the relay to the target. */
export interface RelayOpenEvent extends RelayEventBase {
  /** A client has connected. */
  readonly type: "open";
  /** The client's address. */
  readonly client: SocketAddress;
  /** The target's address. */
  readonly target: SocketAddress;
}

/** The target could not be reached; the client's connection was broken off. */
export interface RelayRefusedEvent extends RelayEventBase {
  /** The target could not be reached. */
  readonly type: "refused";
  /** The client's address. */
  readonly client: SocketAddress;
  /** Why, in one line. */
  readonly reason: string;
}

/** Bytes that one read returned. They are on their way to the other side already. */
export interface RelayDataEvent extends RelayEventBase {
  /** A read. */
  readonly type: "data";
  /** Who sent them. */
  readonly from: RelaySide;
  /** Where they begin: bytes that this side had sent before. */
  readonly offset: number;
  /** The bytes; valid until the event is dealt with. */
  readonly data: Uint8Array;
}

/** A message that a read completed. */
export interface RelayMessageEvent extends RelayEventBase {
  /** A message. */
  readonly type: "message";
  /** Who sent it. */
  readonly from: RelaySide;
  /** 1 for the first message of this side, 2 for the second … */
  readonly number: number;
  /** Where it begins: bytes that this side had sent before. */
  readonly offset: number;
  /** How many bytes it takes on the wire, with what surrounds it. */
  readonly length: number;
  /** How many reads it came in: 1 if this read holds all of it. */
  readonly reads: number;
  /** Its contents: bytes (valid until the event is dealt with), or what they were decoded to. */
  readonly value: unknown;
  /** Whether the contents are left out, in a capture, because they are too long for a line of it; the
   * bytes are in the reads. */
  readonly omitted?: boolean;
}

/** How a read ended in the middle of a message. */
export interface RelayPartialEvent extends RelayEventBase {
  /** The rest of a read. */
  readonly type: "partial";
  /** Who sent it. */
  readonly from: RelaySide;
  /** The number that the message will have. */
  readonly number: number;
  /** How many bytes of it have come so far. */
  readonly length: number;
}

/** A message that is broken, or the end of the messages because they cannot be told apart any more. */
export interface RelayUnframedEvent extends RelayEventBase {
  /** Bytes that are no message. */
  readonly type: "unframed";
  /** Who sent it. */
  readonly from: RelaySide;
  /** What is wrong, in one line. */
  readonly reason: string;
  /** Whether no more messages of this side will be shown. The relaying goes on. */
  readonly lost: boolean;
}

/** One side has ended its sending; the other direction goes on. */
export interface RelayEndEvent extends RelayEventBase {
  /** One side sends no more. */
  readonly type: "end";
  /** Who. */
  readonly from: RelaySide;
}

/** Both directions are over. */
export interface RelayCloseEvent extends RelayEventBase {
  /** The connection is over. */
  readonly type: "close";
  /** Who ended it first: one of the sides, or the relay itself (it was shut down, or a time-out). */
  readonly first: RelaySide | "relay";
  /** What went wrong, in one line; `undefined` if both sides ended properly. */
  readonly reason?: string | undefined;
  /** Bytes the client has sent. */
  readonly fromClient: number;
  /** Bytes the target has sent. */
  readonly fromTarget: number;
}

/** Something that happened on a relayed connection. */
export type RelayEvent =
  | RelayOpenEvent
  | RelayRefusedEvent
  | RelayDataEvent
  | RelayMessageEvent
  | RelayPartialEvent
  | RelayUnframedEvent
  | RelayEndEvent
  | RelayCloseEvent;

/**
 * Is told what happens. When it returns a promise, this direction waits for it before it reads on: so
 * whoever writes the events down slowly makes the relay slow, and loses nothing.
 */
export type RelayObserver = (event: RelayEvent) => void | Promise<void>;
