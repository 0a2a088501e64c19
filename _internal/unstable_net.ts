/**
 * What the runtime does only with the flag `--unstable-net`.
 *
 * @module
 */
import { netError, type OperationContext } from "../common/net_error.ts";

/** Whether the runtime was started with the flag: decided when asked, not when imported. */
export function hasUnstableNet(): boolean {
  return typeof Deno.listenDatagram === "function";
}

/** The error of an option that needs the flag. */
export function needsUnstableNet(what: string, context: OperationContext): Error {
  const reason = `${what} needs the runtime flag --unstable-net`;
  return netError(Deno.errors.NotSupported, "ENOTSUP", reason, context);
}
