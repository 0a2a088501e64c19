/**
 * When something happened on a connection.
 *
 * @module
 */

/** The fields that all events of a connection have. */
export interface EventStamp {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Milliseconds since the connection began, to the microsecond. */
  readonly elapsed: number;
}

/** The clock of one connection, which begins now. */
export class EventClock {
  readonly #id: number;
  readonly #startedAt = performance.now();

  constructor(id: number) {
    this.#id = id;
  }

  /** The fields of an event that happens now. */
  now(): EventStamp {
    const elapsed = Math.round((performance.now() - this.#startedAt) * 1_000) / 1_000;
    return { id: this.#id, time: Date.now(), elapsed };
  }
}
