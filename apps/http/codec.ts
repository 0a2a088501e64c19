/**
 * Requests and responses of HTTP/1.1 as a codec: bytes in, the parts of a response out, without any
 * input or output of its own.
 *
 * @module
 */
import type { Codec } from "../../framing/mod.ts";
import { checkOneOf, checkOptions, namesOf } from "../../common/options.ts";
import type { HttpPart } from "./head.ts";
import { type HttpLimits, LIMIT_NAMES, resolveLimits } from "./limits.ts";
import { ResponseDecoder } from "./_response_decoder.ts";
import { toLatin1 } from "./_text.ts";

/** What is sent: a request without a body. */
export interface HttpRequestHead {
  /** The method. */
  readonly method: "GET" | "HEAD";
  /** The path with its query, as it stands in the first line. */
  readonly target: string;
  /** The fields, in the order in which they are sent. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** What the codec needs to find the end of a response. */
export interface HttpResponsesOptions {
  /**
   * The method of the request: there is no body after the head that answers `HEAD`.
   *
   * @default {"GET"}
   */
  method?: "GET" | "HEAD" | undefined;
  /** How large it may be. `maxDecodedSize` and `minRate` do not concern the codec. */
  limits?: HttpLimits | undefined;
}

/**
 * The codec of a client that sends one request on a connection: encodes the request, decodes its
 * response (RFC 9112).
 *
 * The response is held to the rules where breaking them could mean two things. Refused with `corrupt`:
 * a head without a status line of HTTP/1.x, names or values with control characters or with space
 * before the colon; lengths that are no number or differ; `Transfer-Encoding` besides `Content-Length`,
 * in HTTP/1.0, or other than `chunked`; chunk sizes that are no plain hexadecimal number, lines in the
 * chunked coding without CR; bytes after the end. Tolerated in heads, because old servers do it: lines
 * that end in LF alone, folded lines (joined with a space), a status line without a reason.
 *
 * @param options The request's method, and limits.
 * @returns The codec. Its decoder throws a `FrameError`: `corrupt`, `too_long`, or `truncated` when
 * the connection ends early.
 * @throws {RangeError | TypeError} If an option is wrong.
 *
 * @example
 * ```ts
 * import { httpResponses } from "@tincan/net/http";
 * import { frames } from "@tincan/net/framing";
 * import { assertEquals } from "@std/assert";
 *
 * const wire = ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3", "\r\nhey\r\n0\r\n\r\n"];
 * const seen: unknown[] = [];
 * for await (const part of frames(new Blob(wire).stream(), httpResponses())) {
 *   if (part.type === "head") seen.push(part.head.status);
 *   if (part.type === "data") seen.push(new TextDecoder().decode(part.bytes));
 * }
 * assertEquals(seen, [200, "hey"]);
 * ```
 */
export function httpResponses(
  options: HttpResponsesOptions = {},
): Codec<HttpPart, HttpRequestHead> {
  checkOptions<HttpResponsesOptions>("httpResponses", options, OPTIONS);
  const { method = "GET" } = options;
  checkOneOf("method", method, ["GET", "HEAD"]);
  const limits = resolveLimits(options.limits);
  return { decoder: () => new ResponseDecoder(method, limits), encode: encodeRequest };
}

const OPTIONS = { limits: namesOf(...LIMIT_NAMES), method: true } as const;

function encodeRequest({ method, target, fields }: HttpRequestHead): Uint8Array {
  const lines = [`${method} ${target} HTTP/1.1`];
  for (const [name, value] of fields) lines.push(`${name}: ${value}`);
  return toLatin1(`${lines.join("\r\n")}\r\n\r\n`);
}
