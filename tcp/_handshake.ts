/**
 * A TLS handshake and its timeout.
 *
 * @module
 */
import { deadline } from "../common/deadline.ts";
import { type OperationContext, timedOut } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";

/** A socket whose handshake is under way, on either side. */
interface TlsSocket {
  handshake(): Promise<{ alpnProtocol: string | null }>;
}

/**
 * Waits for the end of a handshake. A socket on which it failed is still open.
 *
 * @param context The connection, for the error.
 * @param limit Milliseconds that it may take.
 * @param onEndable Receives a function that makes the handshake fail with an error.
 * @returns The protocol agreed on, `null` if none.
 */
export async function shakeHands(
  socket: TlsSocket,
  context: OperationContext,
  limit: number,
  onEndable?: (end: (error: unknown) => void) => void,
): Promise<string | null> {
  const during: OperationContext = { ...context, operation: "handshake" };
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const cancel = deadline(limit, () => reject(timedOut(during, limit, "not finished")));
  if (limit === 0) reject(timedOut(during, limit, "not finished")); // without a look at the socket
  onEndable?.(reject);
  try {
    return (await Promise.race([socket.handshake(), ended])).alpnProtocol;
  } catch (error) {
    throw translate(error, during);
  } finally {
    cancel();
  }
}
