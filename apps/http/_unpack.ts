/**
 * Unpacking of bodies that were sent in gzip or deflate (RFC 9110 section 8.4), through the platform's
 * `DecompressionStream`.
 *
 * @module
 */
import { crc32 } from "../../framing/crc32.ts";
import { HttpError } from "./errors.ts";
import { quote } from "./_text.ts";

/** Bytes as they go through memory, piece by piece. */
export type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>;

/** What is unpacked at once: it may grow a thousandfold, to 4 MiB, and must fit in memory. */
const SLICE = 4 * 1024;
/** Codings on top of each other; more than one is rare, and each may grow a thousandfold. */
const MAX_CODINGS = 2;
/** The head of a gzip member without name, date or extras (RFC 1952). */
const GZIP_HEAD: Uint8Array<ArrayBuffer> = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** How the body that is unpacked is named in errors, and how large it may become. */
export interface UnpackOptions {
  readonly url: string;
  readonly maxSize: number;
  /** Ends the body that is packed, so that nobody waits for more of it. */
  readonly stop: () => Promise<void>;
}

/**
 * Unpacks what `Content-Encoding` says was packed.
 *
 * @param encoding The field's value, `null` if there is none.
 * @throws {HttpError} `bad_encoding` if the coding is another one.
 */
export function unpack(body: Pieces, encoding: string | null, options: UnpackOptions): Pieces {
  const codings = (encoding ?? "").toLowerCase().split(",").map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length === 0) return body;
  if (codings.length > MAX_CODINGS) {
    throw bad(`it is packed ${codings.length} times over`, options);
  }
  let pieces = body;
  for (const coding of codings.reverse()) {
    if (coding !== "gzip" && coding !== "x-gzip" && coding !== "deflate") {
      throw bad(`it is in ${quote(coding)}, which was not asked for`, options);
    }
    pieces = unpackOne(pieces, coding === "deflate" ? "deflate" : "gzip", options);
  }
  return limited(pieces, options);
}

async function* limited(pieces: Pieces, { maxSize, url }: UnpackOptions): Pieces {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxSize) {
      const message = `Cannot unpack the body: it is larger than the limit of ${maxSize} bytes`;
      throw new HttpError("too_large", message, { url });
    }
    yield piece;
  }
}

/**
 * Unpacks one coding. A body of no bytes is nothing, packed or not.
 *
 * The platform does not see that a `deflate` body was cut short. So the checksum at the end of the zlib
 * format is compared here; and the bare deflate data that some servers send instead is made into a
 * gzip body, with a checksum of what came out of it, which fits only if nothing is missing.
 */
async function* unpackOne(
  packed: Pieces,
  coding: "gzip" | "deflate",
  options: UnpackOptions,
): Pieces {
  const slices = sliced(packed);
  const first = await slices.next();
  if (first.done) return;
  const form: Form = coding === "gzip" ? "gzip" : isZlib(first.value) ? "zlib" : "bare";
  const stream = new DecompressionStream(form === "zlib" ? "deflate" : "gzip");
  const output = new Output(form);
  const feeder = new Feeder(form, output);
  const feeding = feeder.run(stream.writable.getWriter(), first.value, slices);
  const reader = stream.readable.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const piece = read.value as Uint8Array<ArrayBuffer>;
      output.add(piece);
      if (piece.length > 0) yield piece;
    }
    if (form === "zlib" && feeder.tail !== output.adler) throw new Error("the checksum is wrong");
  } catch (error) {
    if (feeder.failure !== undefined) throw feeder.failure.error;
    throw bad(`it is broken or cut short as ${coding}`, options, error);
  } finally {
    await options.stop();
    await reader.cancel().catch(() => {});
    await feeding;
  }
}

/** How deflate data is wrapped. */
type Form = "gzip" | "zlib" | "bare";

/** What has come out, as the checksums see it. */
class Output {
  readonly #form: Form;
  #crc = 0;
  #size = 0;
  #low = 1;
  #high = 0;

  constructor(form: Form) {
    this.#form = form;
  }

  add(piece: Uint8Array): void {
    if (this.#form === "bare") {
      this.#crc = crc32(piece, this.#crc);
      this.#size += piece.length;
    } else if (this.#form === "zlib") {
      this.#addAdler(piece);
    }
  }

  /** The checksum of zlib (RFC 1950). */
  get adler(): number {
    return this.#high * 0x10000 + this.#low;
  }

  /** The end of a gzip member (RFC 1952). */
  get gzipTail(): Uint8Array<ArrayBuffer> {
    const tail = new DataView(new ArrayBuffer(8));
    tail.setUint32(0, this.#crc, true);
    tail.setUint32(4, this.#size % 2 ** 32, true);
    return new Uint8Array(tail.buffer);
  }

  #addAdler(piece: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < piece.length;) {
      const end = Math.min(piece.length, at + 3_800); // so far the sums stay below 2^31
      while (at < end) high += low += piece[at++] ?? 0;
      low %= 65_521;
      high %= 65_521;
    }
    this.#low = low;
    this.#high = high;
  }
}

/** Hands the packed body to the platform. */
class Feeder {
  /** The last four bytes, as a number: in the zlib format the checksum. */
  tail = 0;
  /** What went wrong with the packed body itself. */
  failure: { error: unknown } | undefined;

  readonly #form: Form;
  readonly #output: Output;

  constructor(form: Form, output: Output) {
    this.#form = form;
    this.#output = output;
  }

  /** Hands over everything; settles when that is done or has failed, and never rejects. */
  async run(
    writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
    first: Uint8Array<ArrayBuffer>,
    slices: Pieces,
  ): Promise<void> {
    try {
      if (this.#form === "bare") await writer.write(GZIP_HEAD);
      for (let slice = first; slice !== EMPTY; slice = await this.#next(slices)) {
        for (const byte of slice.subarray(-4)) this.tail = (this.tail << 8 | byte) >>> 0;
        await writer.write(slice);
      }
      if (this.#form === "bare") {
        await writer.write(EMPTY); // taken when everything before has come out and was counted
        await writer.write(this.#output.gzipTail);
      }
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => {});
      await slices.return();
    }
  }

  async #next(slices: Pieces): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const { done, value } = await slices.next();
      return done ? EMPTY : value;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}

/** The same bytes in small pieces, of which only a lone one has fewer than two bytes. */
async function* sliced(pieces: Pieces): Pieces {
  let held: Uint8Array<ArrayBuffer> = EMPTY;
  for await (const piece of pieces) {
    let rest = piece;
    if (held.length > 0) {
      rest = new Uint8Array(held.length + piece.length);
      rest.set(held);
      rest.set(piece, held.length);
      held = EMPTY;
    }
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
