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
export { type CaptureEnd, endOfCapture, readCapture, type ReadCaptureOptions } from "./capture.ts";
export { RelayDump, type RelayDumpOptions, type RelayView } from "./dump.ts";
export type { RelayEvent, RelayObserver, RelaySide } from "./events.ts";
export { FRAMING_NAMES, framingByName, type FramingOptions } from "./framings.ts";
export { JsonText } from "./json_text.ts";
export type { RelayOptions } from "./options.ts";
export { serveRelay } from "./relay.ts";
