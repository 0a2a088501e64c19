/**
 * What a server sends before it is asked for anything.
 *
 * @module
 */
import { deadline } from "../../common/deadline.ts";
import type { BannerLimits } from "./options.ts";

const LF = 0x0a;

/**
 * Reads until a piece ends with a line, the time is up, enough has come or the signal aborts; then closes
 * the connection. It never fails: what came before a reset is the banner.
 */
export async function readBanner(
  conn: Deno.Conn,
  { timeout, maxLength }: BannerLimits,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(maxLength);
  let length = 0;
  const close = () => conn[Symbol.dispose](); // unlike close(), it may be called twice
  const cancel = deadline(timeout, close);
  signal.addEventListener("abort", close);
  try {
    while (length < maxLength) {
      const n = await conn.read(buffer.subarray(length));
      if (n === null) break;
      length += n;
      if (buffer[length - 1] === LF) break;
    }
  } catch {
    // The time is up, or the other side has broken it off.
  }
  cancel();
  signal.removeEventListener("abort", close);
  close();
  return buffer.slice(0, length);
}
