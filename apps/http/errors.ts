/**
 * What can go wrong with a fetch, and one word for each failure.
 *
 * @module
 */
import { isNetError, TincanError } from "../../errors.ts";

/** What is wrong with what the server sent. */
export type HttpErrorCode =
  | "malformed"
  | "too_large"
  | "short_body"
  | "bad_encoding"
  | "bad_redirect"
  | "redirect_loop"
  | "too_many_redirects";

/**
 * The server answered, but not with a response that can be used. What the network did (no such host,
 * refused, timed out, TLS) arrives as the runtime's own errors; see {@linkcode httpFailure}.
 *
 * | `code` | meaning |
 * |---|---|
 * | `malformed` | the bytes are not an HTTP/1.1 response, or its length is ambiguous |
 * | `too_large` | head, body or decoded body are larger than the limit |
 * | `short_body` | the connection ended before the body did |
 * | `bad_encoding` | the body is not the gzip or deflate data it is said to be, or is encoded otherwise |
 * | `bad_redirect` | the redirect leads to no address, to another protocol, or from https to http |
 * | `redirect_loop` | the redirects lead back to a page that was asked for already |
 * | `too_many_redirects` | there are more redirects than allowed |
 *
 * @example
 * ```ts
 * import { HttpError } from "@tincan/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new HttpError("short_body", "Cannot read the body: 3 of 5 bytes came", {
 *   url: "http://example.com/",
 * });
 * assertEquals(error.code, "short_body");
 * ```
 */
export class HttpError extends TincanError<HttpErrorCode> {
  /** The page that was asked for, without a user name or password. */
  readonly url: string;

  /**
   * Makes the error.
   *
   * @param code What is wrong.
   * @param message One line for people.
   * @param options The page, and the cause if there is one.
   */
  constructor(code: HttpErrorCode, message: string, options: ErrorOptions & { url: string }) {
    super(code, message, options);
    this.url = options.url;
  }
}

/**
 * Every way in which a fetch fails: those of {@linkcode HttpErrorCode}, those of the network, and
 * `other` for what is neither (a full disk, an abort).
 */
export type HttpFailure =
  | HttpErrorCode
  | "dns"
  | "refused"
  | "unreachable"
  | "timeout"
  | "tls"
  | "reset"
  | "permission"
  | "other";

/**
 * Names the reason why a fetch failed, in one word.
 *
 * | word | error |
 * |---|---|
 * | a code of {@linkcode HttpError} | that error |
 * | `dns` | `Deno.errors.NotFound` of the operation `resolve` |
 * | `refused` | `Deno.errors.ConnectionRefused` |
 * | `unreachable` | no way to that network or host |
 * | `timeout` | `Deno.errors.TimedOut` |
 * | `tls` | the handshake failed (code `ETLS`), or was broken off |
 * | `reset` | `Deno.errors.ConnectionReset`, `BrokenPipe` |
 * | `permission` | `Deno.errors.NotCapable` |
 * | `other` | anything else |
 *
 * @param error What `httpGet` or the reading of a body threw.
 * @returns The word.
 *
 * @example
 * ```ts
 * import { httpFailure, httpGet } from "@tincan/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * try {
 *   await httpGet("http://127.0.0.1:1/");
 * } catch (error) {
 *   assertEquals(httpFailure(error), "refused");
 * }
 * ```
 */
export function httpFailure(error: unknown): HttpFailure {
  if (error instanceof HttpError) return error.code;
  if (error instanceof Deno.errors.NotCapable) return "permission";
  if (error instanceof Deno.errors.TimedOut) return "timeout";
  if (!isNetError(error)) return "other";
  if (error.operation === "resolve") return "dns";
  if (error.operation === "handshake" || error.code === "ETLS") return "tls";
  if (error instanceof Deno.errors.ConnectionRefused) return "refused";
  if (error instanceof Deno.errors.NetworkUnreachable) return "unreachable";
  if (error.code === "EHOSTUNREACH" || error.code === "ENETUNREACH") return "unreachable";
  if (error instanceof Deno.errors.ConnectionReset) return "reset";
  if (error instanceof Deno.errors.BrokenPipe) return "reset";
  return "other";
}
