/**
 * Unpacking of bodies that were sent in gzip or deflate (RFC 9110 section 8.4), through the platform's
 * zlib, which writes into memory of a fixed size however much comes out.
 *
 * @module
 */
import type { Gunzip, Inflate, InflateRaw } from "node:zlib";
import { concat } from "../../common/concat.ts";
import { HttpError } from "./errors.ts";
import { quote } from "./_text.ts";

type Unpacker = Gunzip | Inflate | InflateRaw;

/** Bytes as they go through memory, piece by piece. */
export type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>;

/** Bytes that are unpacked into one piece: what a body that grows a thousandfold holds in memory. */
const PIECE = 64 * 1024;
/** Bytes that are handed to zlib at once: each write costs the same, however little it writes. */
const SLICE = 16 * 1024;
/** Codings on top of each other; more than one is rare, and each may grow a thousandfold. */
const MAX_CODINGS = 2;
/** The most bytes that deflate makes of one. What grows more was packed repeatedly, to do harm. */
const MAX_GROWTH = 1_032;
/** Bytes that are not counted for that: short bodies may be packed in any way. */
const GROWTH_FREE = 1024 * 1024;
const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** The body that is unpacked: its name in errors, and how large it may become. */
export interface UnpackOptions {
  readonly url: string;
  readonly maxSize: number;
  /** Ends the body that is packed, so that nothing waits for more of it. */
  readonly stop: () => Promise<void>;
}

/**
 * Unpacks a body according to `Content-Encoding`. An empty body is empty, packed or not.
 *
 * @param encoding The field's value, `null` if there is none.
 * @throws {HttpError} With the first bytes, `bad_encoding` if the coding is another one.
 */
export function unpack(body: Pieces, encoding: string | null, options: UnpackOptions): Pieces {
  const codings = (encoding ?? "").toLowerCase().split(",").map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length === 0) return body;
  if (codings.length > MAX_CODINGS) {
    return unusable(body, bad(`it is packed ${codings.length} times over`, options));
  }
  const input = new Counter();
  let pieces = input.count(body);
  for (const coding of codings.reverse()) {
    if (coding !== "gzip" && coding !== "x-gzip" && coding !== "deflate") {
      const reason = `it is in ${quote(coding)}, which was not asked for`;
      return unusable(body, bad(reason, options));
    }
    pieces = unpackOne(pieces, coding === "deflate" ? "deflate" : "gzip", options);
  }
  return limited(pieces, input, options);
}

/** A body that cannot be unpacked; if it has no bytes, there is nothing to unpack. */
async function* unusable(body: Pieces, error: HttpError): Pieces {
  for await (const piece of body) {
    if (piece.length > 0) throw error;
    yield piece;
  }
}

/** Counts the bytes that pass. */
class Counter {
  size = 0;

  async *count(pieces: Pieces): Pieces {
    for await (const piece of pieces) {
      this.size += piece.length;
      yield piece;
    }
  }
}

async function* limited(
  pieces: Pieces,
  input: Counter,
  { maxSize, url }: UnpackOptions,
): Pieces {
  const refused = (what: string) =>
    new HttpError("too_large", `Cannot unpack the body: it is ${what}`, { url });
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxSize) throw refused(`larger than the limit of ${maxSize} bytes`);
    if (size > GROWTH_FREE && size > input.size * MAX_GROWTH) {
      throw refused(`more than ${MAX_GROWTH} times what was sent`);
    }
    yield piece;
  }
}

/** Unpacks one coding. */
async function* unpackOne(
  packed: Pieces,
  coding: "gzip" | "deflate",
  options: UnpackOptions,
): Pieces {
  const slices = sliced(packed);
  const first = await slices.next();
  if (first.done) return;
  const stream = await open(coding, first.value);
  const feeder = new Feeder();
  const feeding = feeder.run(stream, first.value, slices);
  try {
    for await (const piece of stream) yield ownedPiece(piece);
    if (feeder.failure !== undefined) throw feeder.failure.error;
    // What follows the end is not looked at by zlib.
    if (stream.bytesWritten < feeder.size) throw new Error("bytes follow after its end");
  } catch (error) {
    if (feeder.failure !== undefined) throw feeder.failure.error;
    throw bad(`it is broken or cut short as ${coding}`, options, error);
  } finally {
    await options.stop();
    stream.destroy();
    await feeding;
  }
}

/** Bare deflate data without the zlib wrapping, which some servers send, is understood. */
async function open(coding: "gzip" | "deflate", begin: Uint8Array): Promise<Unpacker> {
  // Loading it takes a while, and most pages do without.
  const { createGunzip, createInflate, createInflateRaw } = await import("node:zlib");
  const options = { chunkSize: PIECE };
  if (coding === "gzip") return createGunzip(options);
  return isZlib(begin) ? createInflate(options) : createInflateRaw(options);
}

function ownedPiece(piece: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(piece.buffer, piece.byteOffset, piece.length); // no Buffer of node's
}

/** Hands the packed body to zlib. */
class Feeder {
  /** Bytes that were handed over. */
  size = 0;
  /** What went wrong with the packed body itself. */
  failure: { error: unknown } | undefined;

  /** Hands over everything, or as much as `stream` wants; settles after that, and never rejects. */
  async run(stream: Unpacker, first: Uint8Array<ArrayBuffer>, slices: Pieces): Promise<void> {
    let wake = () => {};
    for (const event of ["drain", "close"]) stream.on(event, () => wake());
    const write = async (slice: Uint8Array) => {
      this.size += slice.length;
      if (stream.write(slice) || stream.destroyed) return;
      await new Promise<void>((resolve) => wake = resolve);
    };
    try {
      await write(first);
      for await (const slice of slices) {
        if (stream.destroyed) break;
        await write(slice);
      }
      stream.end();
    } catch (error) {
      this.failure = { error };
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** The same bytes in small pieces, of which only a lone one has fewer than two bytes. */
async function* sliced(pieces: Pieces): Pieces {
  let held: Uint8Array<ArrayBuffer> = EMPTY;
  for await (const piece of pieces) {
    const rest = held.length > 0 ? concat(held, piece) : piece;
    held = EMPTY;
    if (rest.length === 1) held = rest;
    else for (let at = 0; at < rest.length; at += SLICE) yield rest.subarray(at, at + SLICE);
  }
  if (held.length > 0) yield held;
}

/** Whether data begins as zlib does (RFC 1950 section 2.2); some servers leave that out. */
function isZlib(bytes: Uint8Array): boolean {
  const [method = 0, flags = 0] = bytes;
  return (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0;
}

function bad(reason: string, { url }: UnpackOptions, cause?: unknown): HttpError {
  return new HttpError("bad_encoding", `Cannot unpack the body: ${reason}`, { url, cause });
}
