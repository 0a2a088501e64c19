/**
 * What an endpoint counts.
 *
 * @module
 */

/** What an endpoint has counted since it was bound. */
export interface UdpEndpointStats {
  /** Datagrams received from the system, those that were dropped afterwards included. */
  readonly datagramsReceived: number;
  /** Datagrams handed to the system, requests that were sent again included. */
  readonly datagramsSent: number;
  /** Bytes received from the system. */
  readonly bytesReceived: number;
  /** Bytes handed to the system. */
  readonly bytesSent: number;
  /** Datagrams that were dropped because the receive queue was full. */
  readonly dropped: number;
  /** Datagrams that were dropped because they did not come from the peer. */
  readonly strangers: number;
  /** Datagrams that were longer than `maxDatagramSize`. */
  readonly truncated: number;
  /** Replies that were not sent because the sender has no port or path to answer to. */
  readonly unanswerable: number;
  /** Answers that came late or twice and were dropped. */
  readonly lateAnswers: number;
  /** Requests that were sent again, each time counted. */
  readonly retransmits: number;
  /** Errors of the system while receiving, which continued after each. */
  readonly receiveErrors: number;
  /** Sends that failed. */
  readonly sendErrors: number;
  /** Datagrams that the system has not taken yet. */
  readonly sending: number;
  /** Datagrams that wait to be received now. */
  readonly queued: number;
  /** Bytes of those. */
  readonly bytesQueued: number;
  /** Requests that wait for their answers now. */
  readonly requests: number;
}

/** What the parts of an endpoint count as it happens. */
export class EndpointCounts {
  datagramsReceived = 0;
  datagramsSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  dropped = 0;
  strangers = 0;
  truncated = 0;
  unanswerable = 0;
  lateAnswers = 0;
  retransmits = 0;
  receiveErrors = 0;
  sendErrors = 0;
}
