/**
 * What an endpoint counts.
 *
 * @module
 */

/** What an endpoint has counted since it was bound. */
export interface UdpEndpointStats {
  /** Datagrams received from the system, those that were dropped afterwards included. */
  readonly received: number;
  /** Datagrams handed to the system, requests that were sent again included. */
  readonly sent: number;
  /** Bytes received from the system. */
  readonly bytesReceived: number;
  /** Bytes handed to the system. */
  readonly bytesSent: number;
  /** Datagrams that were dropped because the receive queue was full. */
  readonly dropped: number;
  /** Datagrams that were dropped because they came from somebody else than the peer. */
  readonly strangers: number;
  /** Datagrams that were longer than `maxDatagramSize`. */
  readonly truncated: number;
  /** Replies that were not sent because the sender has no port or path to answer to. */
  readonly unanswerable: number;
  /** Answers that came late or twice and were dropped. */
  readonly lateAnswers: number;
  /** Requests that were sent again, each time counted. */
  readonly retransmits: number;
  /** Errors of the system while receiving; receiving went on. */
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
