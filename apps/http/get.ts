/**
 * Fetching a page.
 *
 * @module
 */
import { deadline } from "../../common/deadline.ts";
import { timedOut } from "../../common/net_error.ts";
import { HttpError, type HttpErrorCode } from "./errors.ts";
import { ask, type RoundTrip } from "./_round_trip.ts";
import { type HttpGetOptions, resolveOptions, type Settings } from "./options.ts";
import { firstRequest, type PageRequest, redirected } from "./_request.ts";
import { createResponse, type HttpRedirect, type HttpResponse } from "./response.ts";

/**
 * Fetches a page with HTTP/1.1 over a connection of its own: resolves the name, connects (with TLS for
 * `https:`), sends the request, follows redirects, and resolves when the head of the response has
 * arrived. A status of failure does not reject: see {@linkcode HttpResponse.ok}.
 *
 * A user name and password in the address are sent as Basic authentication (RFC 7617), to that origin
 * only. A name in any alphabet is looked up in its ASCII form.
 *
 * Cancellation: `signal` and `timeouts.total` end the fetch at any time, the reading of the body
 * included; the connection is closed.
 *
 * @param url Where the page is; a fragment is kept in `response.url` and not sent.
 * @param options What to send, how far to follow, how long to wait, how much to take.
 * @returns The response, whose body is still to be read.
 * @throws {HttpError} If the response, or where it redirects to, is not one that can be used.
 * @throws {Deno.errors.NotFound} If there is no such host (code `ENOTFOUND`).
 * @throws {Deno.errors.ConnectionRefused} If no one listens there.
 * @throws {Deno.errors.TimedOut} If it took longer than the timeouts allow.
 * @throws {Deno.errors.InvalidData} If the TLS handshake failed (code `ETLS`).
 * @throws {Deno.errors.ConnectionReset} If the server broke the connection off.
 * @throws {TypeError | RangeError} If the address or an option is wrong.
 *
 * @example
 * ```ts
 * import { httpGet } from "@tincan/net/http";
 * import { serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   const request = await conn.readUntil("\r\n\r\n");
 *   const [, path] = new TextDecoder().decode(request ?? undefined).split(" ");
 *   await conn.write(
 *     path === "/old"
 *       ? "HTTP/1.1 301 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n"
 *       : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
 *   );
 * });
 *
 * const { port } = server.addr;
 * await using response = await httpGet(`http://127.0.0.1:${port}/old`, { timeouts: { total: 5_000 } });
 * assertEquals(response.url, `http://127.0.0.1:${port}/new`);
 * assertEquals(await response.text(), "hello");
 * ```
 */
export async function httpGet(
  url: string | URL,
  options: HttpGetOptions = {},
): Promise<HttpResponse> {
  const settings = resolveOptions(options);
  const request = firstRequest(url, options.headers);
  settings.signal?.throwIfAborted();
  const life = lifeOf(request, settings);
  try {
    return await follow(request, settings, life);
  } catch (error) {
    life.end();
    throw error;
  }
}

/** The time in which a fetch may act. */
interface Life {
  /** Aborts when it is over before the fetch is. */
  readonly signal: AbortSignal;
  /** Ends it, when the fetch is done. */
  readonly end: () => void;
}

function lifeOf({ url }: PageRequest, { signal, timeouts: { total } }: Settings): Life {
  const timeout = new AbortController();
  const transport = url.protocol === "https:" ? "tls" : "tcp";
  const context = { operation: "request", transport, target: url.host } as const;
  const end = deadline(total, () => timeout.abort(timedOut(context, total, "not finished")));
  return { signal: AbortSignal.any([timeout.signal, ...(signal ? [signal] : [])]), end };
}

/** Sends the request, and further ones where the responses redirect to. */
async function follow(first: PageRequest, settings: Settings, life: Life): Promise<HttpResponse> {
  const { followRedirects, maxRedirects, onTrace } = settings;
  const start = first.url.href;
  const refused = (code: HttpErrorCode, reason: string) =>
    new HttpError(code, `Cannot fetch ${start}: ${reason}`, { url: start });
  const redirects: HttpRedirect[] = [];
  const visited = new Set<string>();
  let request = first;
  while (true) {
    visited.add(pageOf(request.url));
    const { url } = request;
    const answer = await ask(request, settings, life.signal);
    const next = followRedirects ? await leave(answer, request, settings) : null;
    if (next === null) {
      return createResponse({ url: url.href, answer, redirects, settings, onEnd: life.end });
    }
    redirects.push({ url: url.href, head: answer.head });
    if (visited.has(pageOf(next.url))) {
      throw refused("redirect_loop", `the redirects lead back to ${next.url.href}`);
    }
    if (redirects.length > maxRedirects) {
      throw refused(
        "too_many_redirects",
        `it has more redirects than the limit of ${maxRedirects}`,
      );
    }
    onTrace({ type: "redirect", status: answer.head.status, url: next.url.href });
    request = next;
  }
}

/** The request after this one, if there is one; then the connection is closed. */
async function leave(
  answer: RoundTrip,
  request: PageRequest,
  settings: Settings,
): Promise<PageRequest | null> {
  try {
    const next = redirected(request, answer.head, settings);
    if (next !== null) await answer.close();
    return next;
  } catch (error) {
    await answer.close();
    throw error;
  }
}

/** What is asked for: the address without its fragment. */
function pageOf(url: URL): string {
  return url.origin + url.pathname + url.search;
}
