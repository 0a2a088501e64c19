/** The limits of the server that stands in the middle of it, which the test derives its bounds from. */
export const limits = { maxConnections: 500, maxWriteQueue: 64 * 1024 };
export const timeouts = { idle: 4_000, frame: 2_000, write: 2_000 };
export const MAX_LINE = 4 * 1024;
