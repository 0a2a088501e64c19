/**
 * Fetching web pages over a raw socket: resolve, connect, ask, split head and body, follow, unpack, and
 * name what goes wrong.
 *
 * It is built from this package's connections and framing and shows what they are for. For everyday
 * work use `fetch`; use this to look at the wire, to limit sizes and times, to distinguish failures, and
 * to learn.
 *
 * @example A page, with everything that can go wrong in one word
 * ```ts
 * import { httpFailure, httpGet } from "@tincan/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * async function size(url: string): Promise<number | string> {
 *   try {
 *     await using response = await httpGet(url, { timeouts: { connect: 5_000 } });
 *     return (await response.bytes({ maxSize: 1_000_000 })).length;
 *   } catch (error) {
 *     return httpFailure(error);
 *   }
 * }
 *
 * assertEquals(await size("http://127.0.0.1:1/"), "refused");
 * ```
 *
 * @module
 */
export { type HttpRequestHead, httpResponses, type HttpResponsesOptions } from "./codec.ts";
export { HttpError, type HttpErrorCode, type HttpFailure, httpFailure } from "./errors.ts";
export { httpGet } from "./get.ts";
export type { HttpHead, HttpPart } from "./head.ts";
export type { HttpLimits, HttpTimeouts } from "./limits.ts";
export type { HttpGetOptions } from "./options.ts";
export { type HttpBodyOptions, type HttpRedirect, HttpResponse } from "./response.ts";
export { saveBody, type SaveBodyOptions } from "./save.ts";
export { formatTrace, type FormatTraceOptions, type HttpTraceEvent } from "./trace.ts";
