/**
 * Web streams over the two halves of a connection. Ending one of them leaves the other half alone.
 *
 * @module
 */
import type { Reader } from "./_reader.ts";
import { CHUNK_ALONE } from "./_wants.ts";

/**
 * A byte stream of what the peer sends. Nothing is read ahead of demand.
 *
 * @param reader What is read.
 * @param check Throws if bytes must not be read now.
 */
export function readableOf(
  reader: Reader,
  check: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const cancelled = new AbortController();
  // A read that waits ends with the stream, and leaves the bytes to the next.
  const limits = { signal: cancelled.signal };
  let pulling: Promise<void> | undefined;

  async function pull(controller: ReadableByteStreamController): Promise<void> {
    check();
    const request = controller.byobRequest;
    if (request?.view) {
      const { buffer, byteOffset, byteLength } = request.view;
      const view = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
      const n = await reader.read(view, limits);
      if (cancelled.signal.aborted) return reader.unread(view.subarray(0, n ?? 0));
      if (n === null) controller.close();
      request.respond(n ?? 0);
      return;
    }
    // The stream takes the memory over, so it must hold nothing else.
    const chunk = await reader.take(CHUNK_ALONE, limits);
    if (cancelled.signal.aborted) return reader.unread(chunk ?? new Uint8Array(0));
    if (chunk === null) controller.close();
    else controller.enqueue(chunk);
  }

  return new ReadableStream({
    type: "bytes",
    pull: (controller) => pulling = pull(controller),
    async cancel(reason) {
      cancelled.abort(reason);
      await Promise.allSettled([pulling]);
    },
  }, { highWaterMark: 0 }) as ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** What {@linkcode writableOf} needs of a connection. */
interface WritingHalf {
  write(data: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
  abort(reason?: unknown): void;
}

/** A stream whose chunks are written in order; closing it ends our side only. */
export function writableOf(half: WritingHalf): WritableStream<Uint8Array> {
  return new WritableStream({
    // The stream's own `abort` would wait for the write under way, which may never end.
    start({ signal }) {
      signal.addEventListener("abort", () => half.abort(signal.reason));
    },
    write: (chunk) => half.write(chunk),
    close: () => half.closeWrite(),
  });
}
