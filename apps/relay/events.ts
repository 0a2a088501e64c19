/**
 * The events of relayed connections.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";

/** One side of a relayed connection: the client, or the target that it is relayed to. */
export type RelaySide = "client" | "target";

/** Something that happened on a relayed connection; its `type` says what. */
export type RelayEvent =
  & {
    /** The connection: 1 for the first of this relay, 2 for the second … */
    readonly id: number;
    /** When, in milliseconds since 1970. */
    readonly time: number;
    /** Milliseconds since the connection was accepted, to the microsecond. */
    readonly elapsed: number;
  }
  & (
    | {
      /** A client has connected, and so has the relay to the target. */
      readonly type: "open";
      /** The client's address. */
      readonly client: SocketAddress;
      /** The target's address. */
      readonly target: SocketAddress;
    }
    | {
      /** The target could not be reached; the client's connection was aborted. */
      readonly type: "refused";
      /** The client's address. */
      readonly client: SocketAddress;
      /** Why, in one line. */
      readonly reason: string;
    }
    | {
      /** Bytes that one read returned. They are on their way to the other side already. */
      readonly type: "data";
      /** The side that sent them. */
      readonly from: RelaySide;
      /** Where they begin: bytes that this side had sent before. */
      readonly offset: number;
      /** The bytes; valid until what the observer returned has settled. */
      readonly data: Uint8Array;
    }
    | {
      /** A message that a read completed. */
      readonly type: "message";
      /** The side that sent it. */
      readonly from: RelaySide;
      /** 1 for the first message of this side, 2 for the second … */
      readonly number: number;
      /** Where it begins: bytes that this side had sent before. */
      readonly offset: number;
      /** How many bytes it takes on the wire, with what surrounds it. */
      readonly length: number;
      /** How many reads it came in: 1 if this read holds all of it. */
      readonly reads: number;
      /** Its contents: what they were decoded to, or bytes, valid as long as those of a read. */
      readonly value: unknown;
      /** Whether the contents are left out, in a capture, because they are too long for a line of it; the
       * bytes are in the reads. */
      readonly omitted?: boolean | undefined;
    }
    | {
      /** The rest of a read, which ended in the middle of a message. */
      readonly type: "partial";
      /** The side that sent it. */
      readonly from: RelaySide;
      /** The number that the message will have. */
      readonly number: number;
      /** How many bytes of it have come so far. */
      readonly length: number;
    }
    | {
      /** A message that is broken, or the end of the messages because they cannot be told apart any more. */
      readonly type: "unframed";
      /** The side that sent it. */
      readonly from: RelaySide;
      /** What is wrong, in one line. */
      readonly reason: string;
      /** Whether no more messages of this side will be shown. Its bytes are still relayed. */
      readonly lost: boolean;
    }
    | {
      /** One side sends no more; the other direction stays open. */
      readonly type: "end";
      /** That side. */
      readonly from: RelaySide;
    }
    | {
      /** Both directions are over. */
      readonly type: "close";
      /** What ended it first: one of the sides, or the relay itself (it was shut down, or a timeout). */
      readonly first: RelaySide | "relay";
      /** What went wrong, in one line; `undefined` if both sides ended properly. */
      readonly reason?: string | undefined;
      /** Bytes the client has sent. */
      readonly fromClient: number;
      /** Bytes the target has sent. */
      readonly fromTarget: number;
    }
  );

/**
 * Receives the events. When it returns a promise, this direction waits for it before the next read: an
 * observer that is slow makes the relay slow, and loses nothing.
 */
export type RelayObserver = (event: RelayEvent) => void | Promise<void>;
