/**
 * TLS to a server whose certificate is not checked. The runtime's own sockets can be told so only by a
 * flag for the whole process; `node:tls` can be told for one connection.
 *
 * `node:tls` works on a stream of ours instead of on a socket of its own: when its sockets are paused
 * they lose the end of the stream, so what paces the reading is the stream below it.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import type { TLSSocket } from "node:tls";
import { parseIp } from "../common/cidr.ts";
import type { RawSocket } from "./_link.ts";

/** Bytes for one read of the socket below, and for one write: the largest TLS record is 16 KiB. */
const CHUNK_SIZE = 64 * 1024;

/** How many turns of the event loop `node:tls` may take to read what it was given. */
const TURNS_TO_READ = 10;

/** The reason in the error of a read, as verified TLS connections have it. */
const CUT = "peer closed connection without sending TLS close_notify";

/** What to say in the handshake. */
interface UnverifiedTlsOptions {
  serverName: string;
  alpnProtocols?: string[] | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

/** Begins the handshake on a connection, which from then on belongs to the TLS connection. */
export async function startUnverifiedTls(
  plain: Deno.TcpConn,
  options: UnverifiedTlsOptions,
): Promise<UnverifiedTlsConn> {
  const { serverName, alpnProtocols, cert, key } = options;
  // Loading them takes as long as starting a small program, so only where they are used.
  const [{ connect }, stream, { Buffer }] = await Promise.all([
    import("node:tls"),
    import("node:stream"),
    import("node:buffer"),
  ]);
  const gate = new Gate();
  const ending: TlsEnding = { isAnnounced: false, isBelow: false };
  const below = new stream.Duplex({
    allowHalfOpen: true,
    async read() {
      try {
        await gate.opened();
        const buffer = new Uint8Array(CHUNK_SIZE);
        const n = await plain.read(buffer);
        if (n !== null) return void below.push(Buffer.from(buffer.buffer, 0, n));
        // What came before may announce the end; `node:tls` takes a few turns to read it.
        for (let turns = 0; turns < TURNS_TO_READ && !ending.isAnnounced; turns++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        ending.isBelow = true;
        below.push(null);
      } catch (error) {
        below.destroy(toError(error));
      }
    },
    async write(chunk: Uint8Array, _encoding, done) {
      try {
        for (let at = 0; at < chunk.length;) at += await plain.write(chunk.subarray(at));
        done();
      } catch (error) {
        done(toError(error));
      }
    },
    async final(done) {
      try {
        await plain.closeWrite();
        done();
      } catch (error) {
        done(toError(error));
      }
    },
  });
  const secured = connect({
    socket: below,
    rejectUnauthorized: false,
    servername: parseIp(serverName) === null ? serverName : undefined, // RFC 6066: names only
    ALPNProtocols: alpnProtocols,
    cert,
    key,
  });
  secured.allowHalfOpen = true;
  return new UnverifiedTlsConn({ plain, below, socket: secured, gate, ending });
}

/** How the peer's stream ended. `node:tls` tells no difference between an end that the peer announced
 * (close_notify, RFC 8446 section 6.1) and one that it did not, except that the first comes earlier. */
interface TlsEnding {
  isAnnounced: boolean;
  /** The socket below has come to its end. */
  isBelow: boolean;
}

/** What a connection is made of. */
interface Parts {
  plain: Deno.TcpConn;
  below: Duplex;
  socket: TLSSocket;
  gate: Gate;
  ending: TlsEnding;
}

/** Whether more may be read from below. */
class Gate {
  #shut: PromiseWithResolvers<void> | undefined;

  /** Settles as soon as it is open. */
  opened(): Promise<void> | undefined {
    return this.#shut?.promise;
  }

  shut(): void {
    this.#shut ??= Promise.withResolvers();
  }

  open(): void {
    this.#shut?.resolve();
    this.#shut = undefined;
  }
}

/** A connection of `node:tls` with the calls of the runtime's own. */
export class UnverifiedTlsConn implements RawSocket {
  readonly localAddr: Deno.Addr;
  readonly remoteAddr: Deno.Addr;
  readonly #plain: Deno.TcpConn;
  readonly #below: Duplex;
  readonly #socket: TLSSocket;
  readonly #gate: Gate;
  readonly #secured = Promise.withResolvers<void>();
  readonly #chunks: Uint8Array[] = []; // what has arrived: at most what one read from below held
  #ended = false;
  #cut: Error | undefined; // the stream ended without a word; this side may still write
  #failure: unknown;
  #wakeReader: (() => void) | undefined;
  #rejectWriter: ((reason: unknown) => void) | undefined;

  constructor({ plain, below, socket, gate, ending }: Parts) {
    this.localAddr = plain.localAddr;
    this.remoteAddr = plain.remoteAddr;
    this.#plain = plain;
    this.#below = below;
    this.#socket = socket;
    this.#gate = gate;
    this.#secured.promise.catch(() => {}); // who closes it before may not wait for it
    socket.once("secureConnect", () => this.#secured.resolve());
    socket.on("data", (chunk: Uint8Array) => {
      gate.shut();
      this.#chunks.push(chunk);
      this.#wakeReader?.();
    });
    socket.on("end", () => {
      if (ending.isBelow) this.#cut = new Deno.errors.UnexpectedEof(CUT);
      ending.isAnnounced = !ending.isBelow;
      this.#ended = true;
      this.#wakeReader?.();
    });
    const fail = (error: unknown) => this.#fail(inWordsOfTheRuntime(error));
    socket.on("error", fail);
    below.on("error", fail);
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
      this.#gate.open();
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
    await this.#act((done) => this.#socket.end(done), 0);
  }

  close(): void {
    this.#fail(new Deno.errors.Interrupted("the connection was closed"));
    this.#ended = false;
    this.#cut = undefined;
    this.#chunks.length = 0;
    this.#gate.open();
    this.#socket.destroy();
    this.#below.destroy();
    this.#plain.close();
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

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What the system has said stays as it is; all other errors are about TLS. */
function inWordsOfTheRuntime(error: unknown): unknown {
  if (!(error instanceof Error) || error.constructor.name in Deno.errors) return error;
  const code = "code" in error ? String(error.code) : "";
  if (/^E[A-Z]+$/.test(code) && code !== "EPROTO") return error;
  return new Deno.errors.InvalidData(error.message, { cause: error });
}
