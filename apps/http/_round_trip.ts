/**
 * One request and its response on a connection of their own.
 *
 * @module
 */
import { FrameError } from "../../errors.ts";
import { MinRate } from "../../common/min_rate.ts";
import { type OperationContext, timedOut } from "../../common/net_error.ts";
import { connectTcp, type Framed, type TcpConnection } from "../../tcp/mod.ts";
import { type HttpRequestHead, httpResponses } from "./codec.ts";
import { HttpError } from "./errors.ts";
import { hasBody, type HttpHead, type HttpPart } from "./head.ts";
import type { Settings } from "./options.ts";
import { type PageRequest, requestFields } from "./_request.ts";
import { traced } from "./trace.ts";

/**
 * Milliseconds to wait after a complete body for the end of the stream, which the request asked for. It
 * has usually arrived already; anything else that arrives is an error.
 */
const END_GRACE = 250;

/** A request that was answered; the body is still to be read. */
export class RoundTrip {
  readonly head: HttpHead;
  /** The trailer section, once the body was read to its end. */
  trailers: Headers | undefined;

  readonly #open: Open;
  readonly #rate: MinRate;
  #closed: Promise<void> | undefined;

  constructor(open: Open, head: HttpHead) {
    const { limits, timeouts } = open.settings;
    this.head = head;
    this.#open = open;
    this.#rate = new MinRate(limits.minRate, timeouts.idle);
  }

  /** Where the response comes from. */
  get conn(): TcpConnection {
    return this.#open.conn;
  }

  /** The body as it is sent. Leaving the loop ends the round trip. */
  async *body(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    try {
      for (let part = await this.#next(); part.type !== "end"; part = await this.#next()) {
        if (part.type === "data") yield part.bytes as Uint8Array<ArrayBuffer>;
      }
      // Many servers send a body where none belongs. It is the end of this connection either way.
      if (hasBody(this.head, this.#open.settings.method)) await this.#checkEnd();
    } catch (error) {
      throw explain(error, this.#open.url, "short_body");
    } finally {
      await this.close();
    }
  }

  /** Ends the round trip in any state. */
  close(): Promise<void> {
    this.#open.release();
    return this.#closed ??= closeConnection(this.#open.conn, this.#open.settings);
  }

  async #next(): Promise<HttpPart> {
    const { conn, messages, settings } = this.#open;
    const { limits: { minRate }, timeouts: { idle } } = settings;
    const before = performance.now();
    const part = await messages.receive({ timeout: idle });
    this.#rate.pay(performance.now() - before);
    if (part === null) throw new TypeError("Cannot read a body again");
    if (part.type === "end") this.trailers = part.trailers;
    if (part.type === "data") this.#rate.earn(part.bytes.length);
    if (this.#rate.isTooSlow) {
      const what = `too few bytes of the body arrived, the least is ${minRate}/s,`;
      throw timedOut(contextOf(conn), idle, what);
    }
    return part;
  }

  /** Makes sure that nothing follows. */
  async #checkEnd(): Promise<void> {
    try {
      await this.#open.messages.receive({ timeout: END_GRACE });
    } catch (error) {
      // A server that keeps the connection, or breaks it off, has still sent the whole body.
      if (error instanceof FrameError) throw error;
    }
  }
}

/** A connection on which a request was sent. */
interface Open {
  conn: TcpConnection;
  messages: Framed<HttpPart, HttpRequestHead>;
  settings: Settings;
  url: string;
  release: () => void;
}

/**
 * Connects, sends the request and reads the head of the response.
 *
 * @param signal Ends the round trip at any time, also later, while the body is read.
 */
export async function ask(
  request: PageRequest,
  settings: Settings,
  signal: AbortSignal,
): Promise<RoundTrip> {
  const { url } = request;
  const { limits, method, onTrace, timeouts } = settings;
  const isTls = url.protocol === "https:";
  onTrace({ type: "connecting", host: url.host, tls: isTls });
  const conn = await connectTcp({
    hostname: url.hostname,
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    tls: isTls && settings.tls,
    timeout: timeouts.connect,
    timeouts: { frame: Infinity }, // a body has limits of its own: `idle` and `minRate`
    signal,
  });
  const { localAddr, remoteAddr } = conn;
  const alpnProtocol = isTls ? conn.alpnProtocol : undefined;
  onTrace({ type: "connected", localAddr, remoteAddr, alpnProtocol });
  const abort = () => conn.abort(signal.reason);
  signal.addEventListener("abort", abort);
  const release = () => signal.removeEventListener("abort", abort);
  const messages = conn.framed(traced(httpResponses({ method, limits }), onTrace));
  try {
    if (signal.aborted) abort();
    const target = url.pathname + url.search;
    await messages.send({ method, target, fields: requestFields(request, settings) });
    const head = await receiveHead(conn, messages, timeouts.head);
    return new RoundTrip({ conn, messages, settings, url: url.href, release }, head);
  } catch (error) {
    release();
    await closeConnection(conn, settings);
    throw explain(error, url.href, "malformed");
  }
}

/** The head; interim ones (1xx) are skipped. */
async function receiveHead(
  conn: TcpConnection,
  messages: Framed<HttpPart, HttpRequestHead>,
  timeout: number,
): Promise<HttpHead> {
  const until = performance.now() + timeout;
  while (true) {
    try {
      const left = Math.max(0, until - performance.now());
      const part = await messages.receive({ timeout: left });
      if (part?.type === "head") return part.head;
    } catch (error) {
      if (!(error instanceof Deno.errors.TimedOut) || performance.now() < until) throw error;
      throw timedOut(contextOf(conn), timeout, "the head of the response was not complete");
    }
  }
}

async function closeConnection(conn: TcpConnection, { onTrace }: Settings): Promise<void> {
  const { bytesReceived, bytesSent } = conn.stats();
  await conn.close({ linger: 0 });
  onTrace({ type: "closed", bytesReceived, bytesSent });
}

function contextOf({ transport, localAddr, remoteAddr }: TcpConnection): OperationContext {
  return { operation: "read", transport, localAddr, remoteAddr };
}

/** Turns an error of the framing into one of HTTP. */
function explain(error: unknown, url: string, whenCut: "short_body" | "malformed"): unknown {
  const options = { url, cause: error };
  if (error instanceof FrameError) {
    const code = error.code === "too_long" ? "too_large" : "malformed";
    return new HttpError(error.code === "truncated" ? whenCut : code, error.message, options);
  }
  // The TLS peer did not announce the end: the stream may have been cut short on the way.
  if (error instanceof Deno.errors.UnexpectedEof) {
    const what = whenCut === "malformed" ? "the head of the response" : "the body";
    return new HttpError(whenCut, `Cannot read ${what}: the connection ended early`, options);
  }
  return error;
}
