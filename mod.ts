/**
 * tincan: the missing layer between Deno's raw sockets and a finished protocol.
 * @module
 */
export * from "./errors.ts";
export * from "./framing/mod.ts";
