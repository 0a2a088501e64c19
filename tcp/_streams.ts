/**
 * Web streams over the two halves of a connection. Ending one of them leaves the other half alone.
 *
 * @module
 */
import type { Reader } from "./_reader.ts";

/** A byte stream of what the peer sends. Nothing is read ahead of demand. */
export function readableOf(reader: Reader): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const request = controller.byobRequest;
      if (request?.view) {
        const { buffer, byteOffset, byteLength } = request.view;
        const n = await reader.read(new Uint8Array(buffer, byteOffset, byteLength), undefined);
        if (n === null) controller.close();
        request.respond(n ?? 0);
        return;
      }
      const chunk = await reader.chunk();
      if (chunk === null) controller.close();
      // The stream takes the buffer over, so it must be the chunk's own.
      else controller.enqueue(chunk.byteLength === chunk.buffer.byteLength ? chunk : chunk.slice());
    },
  }, { highWaterMark: 0 }) as ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** What {@linkcode writableOf} needs of a connection. */
export interface Sink {
  write(data: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
  abort(reason?: unknown): void;
}

/** A stream whose chunks are written in order; closing it ends our side only. */
export function writableOf(sink: Sink): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (chunk) => sink.write(chunk),
    close: () => sink.closeWrite(),
    abort: (reason) => sink.abort(reason),
  });
}
