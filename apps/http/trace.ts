/**
 * What goes over the wire, reported as it happens.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";
import { formatAddr } from "../../common/address.ts";
import type { Codec } from "../../framing/mod.ts";
import { escapeBytes } from "../../common/escape_bytes.ts";

/** Something that happened. Bytes are valid during the call. */
export type HttpTraceEvent =
  | { readonly type: "connecting"; readonly host: string; readonly tls: boolean }
  | {
    readonly type: "connected";
    readonly localAddr: SocketAddress;
    readonly remoteAddr: SocketAddress;
    /** What the TLS handshake agreed on (ALPN), `null` if on nothing; `undefined` without TLS. */
    readonly alpnProtocol: string | null | undefined;
  }
  | { readonly type: "sent"; readonly bytes: Uint8Array }
  | { readonly type: "received"; readonly bytes: Uint8Array }
  | { readonly type: "redirect"; readonly status: number; readonly url: string }
  | { readonly type: "closed"; readonly bytesReceived: number; readonly bytesSent: number };

/** How {@linkcode formatTrace} shows things. */
export interface FormatTraceOptions {
  /**
   * Bytes that are shown of one read or write; the rest is counted.
   *
   * @default {4_096} any usual head, and the beginning of each piece of a body
   */
  maxBytes?: number | undefined;
}

/**
 * Shows an event to people: `> ` before what was sent, `< ` before what was received, `* ` before the
 * rest. Each line of the wire is a line, with its end visible; everything that a terminal might act on
 * is escaped.
 *
 * @param event What happened.
 * @param options How much to show.
 * @returns One or more lines, each with a line end.
 *
 * @example
 * ```ts
 * import { formatTrace } from "@tincan/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("HTTP/1.1 200 OK\r\nServer: \x1b[31m\r\n");
 * assertEquals(
 *   formatTrace({ type: "received", bytes }),
 *   "< HTTP/1.1 200 OK\\r\\n\n< Server: \\x1b[31m\\r\\n\n",
 * );
 * ```
 */
export function formatTrace(event: HttpTraceEvent, options: FormatTraceOptions = {}): string {
  const { maxBytes = 4_096 } = options;
  switch (event.type) {
    case "connecting":
      return `* connecting to ${event.host}${event.tls ? " with TLS" : ""}\n`;
    case "connected": {
      const { localAddr, remoteAddr, alpnProtocol } = event;
      const tls = alpnProtocol === undefined
        ? ""
        : `, TLS with ${alpnProtocol ?? "no protocol agreed on"}`;
      return `* connected ${formatAddr(localAddr)} to ${formatAddr(remoteAddr)}${tls}\n`;
    }
    case "sent":
      return formatBytes("> ", event.bytes, maxBytes);
    case "received":
      return formatBytes("< ", event.bytes, maxBytes);
    case "redirect":
      return `* ${event.status} leads to ${event.url}\n`;
    case "closed":
      return `* closed, ${event.bytesSent} bytes sent, ${event.bytesReceived} received\n`;
  }
}

function formatBytes(mark: string, bytes: Uint8Array, maxBytes: number): string {
  const shown = bytes.subarray(0, maxBytes);
  let text = "";
  for (let at = 0; at < shown.length;) {
    const end = shown.indexOf(0x0a, at) + 1 || shown.length;
    text += `${mark}${escapeBytes(shown.subarray(at, end))}\n`;
    at = end;
  }
  const more = bytes.length - shown.length;
  return more > 0 ? `${text}${mark}… ${more} bytes more\n` : text;
}

/** A codec that reports what it decodes and encodes. */
export function traced<In, Out>(
  codec: Codec<In, Out>,
  onTrace: (event: HttpTraceEvent) => void,
): Codec<In, Out> {
  return {
    decoder() {
      const inner = codec.decoder();
      return {
        progress: inner.progress,
        push(chunk, emit) {
          if (chunk.length > 0) onTrace({ type: "received", bytes: chunk });
          inner.push(chunk, emit);
        },
        end: (emit) => inner.end(emit),
      };
    },
    encode(message) {
      const bytes = codec.encode(message);
      onTrace({ type: "sent", bytes });
      return bytes;
    },
    detached: codec.detached,
  };
}
