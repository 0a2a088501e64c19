/**
 * TLS to a server whose certificate is not checked. For the runtime's own sockets only a flag for
 * the whole process turns the check off; `node:tls` has an option for one connection.
 *
 * `node:tls` works on a stream of this module instead of on a socket of its own: a paused socket of
 * `node:tls` loses the end of the stream, so the stream below it controls the pace of reading.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { parseIp } from "../common/cidr.ts";
import { unattended } from "../common/unattended.ts";
import { writeAll } from "../common/write_all.ts";
import type { RawSocket } from "./_link.ts";
import type { TlsClientOptions } from "./connect_options.ts";

/** Bytes for one read of the socket below, and for one write: the largest TLS record is 16 KiB. */
const CHUNK_SIZE = 64 * 1024;

/** How many turns of the event loop `node:tls` may take to read what it was given. */
const TURNS_TO_READ = 10;

/** The reason in the error of a read; the same as on verified TLS connections. */
const CUT = "peer closed connection without sending TLS close_notify";

/** Begins the handshake on a connection, which from then on belongs to the TLS connection. */
export async function startUnverifiedTls(
  plain: Deno.TcpConn,
  options: TlsClientOptions & { serverName: string },
): Promise<UnverifiedTlsConn> {
  // Loading them takes as long as starting a small program, so only where they are used.
  const [{ connect }, { Duplex }] = await Promise.all([import("node:tls"), import("node:stream")]);
  const { serverName, alpnProtocols, cert, key } = options;
  return new UnverifiedTlsConn(plain, Duplex, (below) =>
    connect({
      socket: below,
      rejectUnauthorized: false,
      servername: parseIp(serverName) === null ? serverName : undefined, // RFC 6066: names only
      ALPNProtocols: alpnProtocols,
      cert,
      key,
    }));
}

/** A connection of `node:tls` with the calls of the runtime's own. */
export class UnverifiedTlsConn implements RawSocket {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #plain: Deno.TcpConn;
  readonly #below: Duplex;
  readonly #socket: TLSSocket;
  readonly #secured = Promise.withResolvers<void>();
  readonly #chunks: Uint8Array[] = []; // what has arrived: at most what one read from below held
  /** Resolves when more may be read from below; `undefined` if it may be now. */
  #paused: PromiseWithResolvers<void> | undefined;
  #leaving: Promise<void> | undefined; // the last write below, under way or done
  #isBelowEnded = false;
  #ended = false;
  #cut: Error | undefined; // the stream ended without an announcement; this side may still write
  #failure: unknown;
  #wakeReader: (() => void) | undefined;
  #rejectWriter: ((reason: unknown) => void) | undefined;

  constructor(
    plain: Deno.TcpConn,
    Stream: typeof Duplex,
    secure: (below: Duplex) => TLSSocket,
  ) {
    this.localAddr = plain.localAddr;
    this.remoteAddr = plain.remoteAddr;
    this.#plain = plain;
    this.#below = new Stream({
      allowHalfOpen: true,
      read: () => settle(this.#readBelow(), (error) => error && this.#below.destroy(error)),
      write: (chunk: Uint8Array, _encoding, done) =>
        settle(this.#leaving = writeAll(plain, chunk), done),
      final: (done) => settle(plain.closeWrite(), done),
    });
    const socket = this.#socket = secure(this.#below);
    socket.allowHalfOpen = true;
    unattended(this.#secured.promise); // it may be closed before
    socket.once("secureConnect", () => this.#secured.resolve());
    socket.on("data", (chunk: Uint8Array) => {
      this.#paused ??= Promise.withResolvers();
      this.#chunks.push(chunk);
      this.#wakeReader?.();
    });
    socket.on("end", () => {
      // `node:tls` does not tell an end that the peer announced (close_notify, RFC 8446 section 6.1)
      // from one that it did not, except that the first comes earlier.
      if (this.#isBelowEnded) this.#cut = new Deno.errors.UnexpectedEof(CUT);
      this.#ended = true;
      this.#wakeReader?.();
    });
    const fail = (error: unknown) => this.#fail(inWordsOfTheRuntime(error));
    socket.on("error", fail);
    this.#below.on("error", fail);
    socket.on("close", () => {
      this.#fail(new Deno.errors.ConnectionReset("the connection was closed"));
    });
  }

  async handshake(): Promise<{ alpnProtocol: string | null }> {
    await this.#secured.promise;
    return { alpnProtocol: this.#socket.alpnProtocol || null };
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    let chunk: Uint8Array | undefined;
    while ((chunk = this.#chunks[0]) === undefined) {
      if (this.#cut !== undefined) throw this.#cut;
      if (this.#ended) return null;
      if (this.#failure !== undefined) throw this.#failure;
      this.#resume();
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
    const n = Math.min(buffer.length, chunk.length);
    buffer.set(chunk.subarray(0, n));
    if (n < chunk.length) this.#chunks[0] = chunk.subarray(n);
    else this.#chunks.shift();
    return n;
  }

  write(data: Uint8Array): Promise<number> {
    const part = data.subarray(0, CHUNK_SIZE);
    return this.#act((done) => this.#socket.write(part, done), part.length);
  }

  async closeWrite(): Promise<void> {
    // A write is done for `node:tls` before its bytes have left, if something is read meanwhile, and
    // once both sides have ended it destroys the stream below, with the announcement of our end if that
    // still waits for those bytes.
    await this.#left();
    await this.#act((done) => this.#socket.end(done), 0);
    await this.#left();
  }

  close(): void {
    this.#fail(new Deno.errors.Interrupted("the connection was closed"));
    this.#ended = false;
    this.#cut = undefined;
    this.#chunks.length = 0;
    this.#resume();
    this.#socket.destroy();
    this.#below.destroy();
    this.#plain.close();
  }

  async #readBelow(): Promise<void> {
    await this.#paused?.promise;
    const buffer = new Uint8Array(CHUNK_SIZE);
    const n = await this.#plain.read(buffer);
    if (n !== null) return void this.#below.push(buffer.subarray(0, n));
    // What came before may announce the end; `node:tls` takes a few turns to read it.
    for (let turns = 0; turns < TURNS_TO_READ && !this.#ended; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isBelowEnded = true;
    this.#below.push(null);
  }

  /** Settles when everything that `node:tls` has encrypted has left. */
  async #left(): Promise<void> {
    let last: Promise<void> | undefined;
    while (last !== this.#leaving) await (last = this.#leaving);
  }

  #resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  #act(begin: (done: (error?: Error | null) => void) => void, result: number): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#rejectWriter = reject;
      begin((error) => {
        if (error) reject(this.#failure ?? inWordsOfTheRuntime(error));
        else resolve(result);
      });
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#secured.reject(this.#failure);
    this.#rejectWriter?.(this.#failure);
    this.#wakeReader?.();
  }
}

/** Hands what became of a promise to a callback of a stream. */
function settle(promise: Promise<void>, done: (error?: Error) => void): void {
  promise.then(
    () => done(),
    (error) => done(error instanceof Error ? error : new Error(String(error))),
  );
}

/** Errors of the system stay as they are; all others are about TLS. */
function inWordsOfTheRuntime(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor.name in Deno.errors) return error;
  const code = "code" in error ? String(error.code) : "";
  if (/^E[A-Z]+$/.test(code) && code !== "EPROTO") return error;
  return new Deno.errors.InvalidData(error.message, { cause: error });
}
