/** What a room needs of a transport. @module */

/** Where a room's lines for one person go. */
export interface ChatOutput {
  /**
   * Takes a line, with its newline, as UTF-8. All members are given the same bytes: they must not be
   * changed, and they never are.
   */
  send(line: Uint8Array): void;
  /**
   * Settles when the lines sent so far are on their way. In the middle of what is long (the history, the
   * names) the room waits for it, and keeps what others say meanwhile for after it. Without it, all is
   * sent at once.
   */
  flush?(): Promise<void>;
  /** The person is to be disconnected once everything was sent. Called at most once. */
  end(): void;
}
