/**
 * A relay between clients and a server, that shows what passes: read by read, and message by message.
 *
 * @example Look at what passes between a client and a server on port 7000
 * ```ts
 * import { framingByName, RelayDump, serveRelay } from "@tincan/net/relay";
 *
 * const dump = new RelayDump(async (bytes) => {
 *   for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
 * });
 * await using relay = serveRelay({
 *   target: { port: 7000 },
 *   observer: dump.observe,
 *   framing: framingByName("lines"),
 * });
 * ```
 *
 * @module
 */
export { readCapture, type ReadCaptureOptions } from "./capture.ts";
export { RelayDump, type RelayDumpOptions, type RelayView } from "./dump.ts";
export type {
  RelayCloseEvent,
  RelayDataEvent,
  RelayEndEvent,
  RelayEvent,
  RelayEventBase,
  RelayMessageEvent,
  RelayObserver,
  RelayOpenEvent,
  RelayPartialEvent,
  RelayRefusedEvent,
  RelaySide,
  RelayUnframedEvent,
} from "./events.ts";
export { FRAMING_NAMES, framingByName, type FramingOptions } from "./framings.ts";
export { JsonText } from "./json_text.ts";
export {
  DEFAULT_MAX_RELAYED,
  DEFAULT_RELAY_CONNECT_TIMEOUT,
  DEFAULT_RELAY_IDLE_TIMEOUT,
  type RelayOptions,
  type RelayTarget,
  serveRelay,
} from "./relay.ts";
