/**
 * A response: the head that has arrived, and the body that is still to be read.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";
import { OutputBuffer } from "../../framing/mod.ts";
import { PullIterator } from "../../common/pull_iterator.ts";
import { checkCount, checkOptions } from "../../common/options.ts";
import type { RoundTrip } from "./_round_trip.ts";
import { hasBody, type HttpHead } from "./head.ts";
import { HttpError } from "./errors.ts";
import type { Settings } from "./options.ts";
import { isPackedFile } from "./packed_names.ts";
import { type Pieces, unpack } from "./_unpack.ts";

/** A redirect that was followed. */
export interface HttpRedirect {
  /** The page that was asked for. */
  readonly url: string;
  /** The head that redirected. */
  readonly head: HttpHead;
}

/** How much of a body may be held in memory. */
export interface HttpBodyOptions {
  /**
   * The largest body in bytes; a larger one is an `HttpError` with the code `too_large`.
   *
   * @default {67_108_864} 64 MiB
   */
  maxSize?: number | undefined;
}

/** What a response is made from. */
interface ResponseParts {
  readonly url: string;
  readonly answer: RoundTrip;
  readonly redirects: readonly HttpRedirect[];
  readonly settings: Settings;
  /** Called once, when nothing more will be read. */
  readonly onEnd: () => void;
}

let create: (parts: ResponseParts) => HttpResponse;

/**
 * The response of a server. The head has arrived; the body is read piece by piece, in one of these
 * ways: `for await`, {@linkcode body}, {@linkcode bytes}, {@linkcode text}.
 *
 * A body that is not read to its end keeps the connection open: {@linkcode close} it, or declare the
 * response with `await using`.
 *
 * @example
 * ```ts
 * import { httpGet } from "@tincan/net/http";
 * import { serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   await conn.readUntil("\r\n\r\n");
 *   await conn.write("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello");
 * });
 *
 * const { port } = server.addr;
 * await using response = await httpGet(`http://127.0.0.1:${port}/`);
 * assertEquals(response.headers.get("content-type"), "text/plain");
 * assertEquals(await response.text(), "hello");
 * ```
 */
export class HttpResponse implements AsyncIterable<Uint8Array<ArrayBuffer>>, AsyncDisposable {
  /** The page that has answered, after all redirects, without a user name or password. */
  readonly url: string;
  /** The head. */
  readonly head: HttpHead;
  /** The redirects that led here. */
  readonly redirects: readonly HttpRedirect[];
  /** The server that has answered. */
  readonly remoteAddr: SocketAddress;

  readonly #parts: ResponseParts;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #used = false;

  static {
    create = (parts) => new HttpResponse(parts);
  }

  private constructor(parts: ResponseParts) {
    this.url = parts.url;
    this.head = parts.answer.head;
    this.redirects = parts.redirects;
    this.remoteAddr = parts.answer.conn.remoteAddr;
    this.#parts = parts;
  }

  /** The status code, such as 200. */
  get status(): number {
    return this.head.status;
  }

  /** Whether the status is one of success (200 to 299). */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** The fields of the head. */
  get headers(): Headers {
    return this.head.headers;
  }

  /**
   * The encoding of the text, as `Content-Type` names it, by the name that `TextDecoder` has for it:
   * `"windows-1252"` for ISO-8859-1. `"utf-8"` if none is named, or one that is not known.
   */
  get charset(): string {
    const type = this.headers.get("content-type") ?? "";
    const label = /;\s*charset\s*=\s*["']?([^\s"';,]+)/i.exec(type)?.[1] ?? "utf-8";
    try {
      return new TextDecoder(label).encoding;
    } catch {
      return "utf-8";
    }
  }

  /** The trailer section of a chunked body; `undefined` before the body's end. */
  get trailers(): Headers | undefined {
    return this.#parts.answer.trailers;
  }

  /** Whether the body is being read, or was read. */
  get bodyUsed(): boolean {
    return this.#used;
  }

  /**
   * The body in pieces as they arrive, unpacked if it was packed. Leaving the loop closes the
   * connection.
   *
   * @returns An iterator, once. It throws an {@linkcode HttpError} if the body is incomplete or invalid,
   * and `Deno.errors.TimedOut` if it does not arrive in time.
   * @throws {TypeError} If the body was asked for before.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    if (this.#used) throw new TypeError("Cannot read the body again: it was read already");
    this.#used = true;
    const pieces = this.#pieces();
    return new PullIterator(() => pieces.next(), async () => {
      await this.close(); // then nothing waits for the network any more
      await pieces.return();
    });
  }

  /**
   * The body as a web stream, which reads when it is read from. Cancelling it closes the connection. It
   * fails as the iteration does.
   */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#stream ??= ReadableStream.from(this);
  }

  /**
   * Reads the whole body into memory.
   *
   * @param options How large it may be.
   * @returns The bytes.
   * @throws {HttpError} `too_large`, or as the iteration does.
   * @throws {Deno.errors.TimedOut} If it does not come in time.
   * @throws {TypeError} If the body was asked for before.
   */
  async bytes(options: HttpBodyOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    checkOptions<HttpBodyOptions>("HttpResponse", options, { maxSize: true });
    const { maxSize = 67_108_864 } = options;
    checkCount("maxSize", maxSize);
    const all = new OutputBuffer();
    for await (const piece of this) {
      if (all.length + piece.length > maxSize) {
        const message = `Cannot hold the body: it is larger than the limit of ${maxSize} bytes`;
        throw new HttpError("too_large", message, { url: this.url });
      }
      all.append(piece);
    }
    return all.take().slice();
  }

  /**
   * Reads the whole body as text, in the encoding that `Content-Type` names, or else in UTF-8. What is
   * not text in it becomes U+FFFD.
   *
   * @param options How large it may be.
   * @returns The text.
   * @throws {HttpError} `too_large`, or as the iteration does.
   * @throws {Deno.errors.TimedOut} If it does not come in time.
   * @throws {TypeError} If the body was asked for before.
   */
  async text(options: HttpBodyOptions = {}): Promise<string> {
    return new TextDecoder(this.charset).decode(await this.bytes(options));
  }

  /**
   * Closes the connection. A read of the body that waits fails with a `ClosedError`.
   *
   * @returns A promise that settles when it is closed; it never rejects.
   */
  async close(): Promise<void> {
    await this.#parts.answer.close();
    this.#parts.onEnd();
  }

  /** Closes as {@linkcode close} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#pieces(): Pieces {
    const { answer, settings: { decode, limits, method } } = this.#parts;
    // The coding is of the transfer if there is a body, and it is not the file's own.
    const isUnpacked = decode && hasBody(this.head, method) && !isPackedFile(this.url, this.head);
    const encoding = isUnpacked ? this.headers.get("content-encoding") : null;
    try {
      yield* unpack(answer.body(), encoding, {
        url: this.url,
        maxSize: limits.maxDecodedSize,
        stop: () => answer.close(),
      });
    } finally {
      await this.close();
    }
  }
}

/** Makes a response; for this package only. */
export function createResponse(parts: ResponseParts): HttpResponse {
  return create(parts);
}
