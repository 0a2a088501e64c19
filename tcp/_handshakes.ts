/**
 * TLS handshakes and their timeout, and the sockets of a server on which none was finished.
 *
 * The runtime begins a handshake by itself when it accepts. If such a socket is closed before the
 * handshake is over, the runtime holds the descriptor until the peer closes: silent peers would take one
 * descriptor after the other, whatever the limits. So a socket that is not wanted any more is reset
 * where this process may do that, and counts as gone only when its handshake has come to an end.
 *
 * @module
 */
import { deadline } from "../common/deadline.ts";
import { type OperationContext, timedOut } from "../common/net_error.ts";
import { translate } from "../_internal/translate.ts";
import type { NamedSocket } from "./_link.ts";
import { reset } from "./_reset.ts";

/** The shortest time between two searches for descriptors, in milliseconds: a search goes through all
 * descriptors of the process, and serves all sockets that are to be reset. */
const RESET_GAP = 100;

/** The connection of a handshake that was not finished. */
export interface TlsLink extends NamedSocket {
  readonly socket: Deno.TlsConn;
}

/** A socket whose handshake is under way, on either side. */
interface TlsSocket {
  handshake(): Promise<{ alpnProtocol: string | null }>;
}

/**
 * Waits for the end of a handshake. A socket on which it failed is still open.
 *
 * @param context The connection, for the error.
 * @param limit Milliseconds that it may take.
 * @param ending Rejects when the handshake must end earlier.
 * @returns The protocol agreed on, `null` if none.
 */
export async function shakeHands(
  socket: TlsSocket,
  context: OperationContext,
  limit: number,
  ending: PromiseWithResolvers<never> = Promise.withResolvers(),
): Promise<string | null> {
  const during: OperationContext = { ...context, operation: "handshake" };
  const expire = () => ending.reject(timedOut(during, limit, "not finished"));
  const cancel = deadline(limit, expire);
  if (limit === 0) expire(); // without a look at the socket
  try {
    return (await Promise.race([socket.handshake(), ending.promise])).alpnProtocol;
  } catch (error) {
    throw translate(error, during);
  } finally {
    cancel();
  }
}

/** All handshakes of one server. */
export class Handshakes {
  readonly #underWay = new Set<PromiseWithResolvers<never>>(); // what ends each
  readonly #unwanted = new Set<Deno.TlsConn>(); // that the runtime still holds
  readonly #toReset: TlsLink[] = [];
  #lastReset = -Infinity;
  #cancelReset: (() => void) | undefined;

  /**
   * Waits for the end of a handshake.
   *
   * @returns The protocol agreed on, `null` if none.
   * @throws If it failed, did not finish within `limit` milliseconds or was ended by
   * {@linkcode endAll}. The socket is still open then: hand it to {@linkcode discard}.
   */
  finish(socket: Deno.TlsConn, context: OperationContext, limit: number): Promise<string | null> {
    const ending = Promise.withResolvers<never>();
    this.#underWay.add(ending);
    return shakeHands(socket, context, limit, ending)
      .finally(() => this.#underWay.delete(ending));
  }

  /** Ends all that are under way; their `finish` rejects with `reason`. */
  endAll(reason: unknown): void {
    for (const { reject } of this.#underWay) reject(reason);
  }

  /** Closes a socket that is not wanted; settles when its descriptor is free. */
  async discard(link: TlsLink): Promise<void> {
    const { socket } = link;
    this.#unwanted.add(socket);
    let isOver = false;
    const over = socket.handshake().catch(() => {}).then(() => {
      isOver = true;
    });
    for (let turns = 0; turns < 3 && !isOver; turns++) await Promise.resolve(); // it may have failed
    if (!isOver && this.#unwanted.has(socket)) this.#resetSoon(link);
    await over;
    this.#close(socket);
  }

  /** Closes what is not wanted, although the runtime may hold the descriptors for longer. */
  close(): void {
    this.#cancelReset?.();
    this.#resetAll();
    for (const socket of this.#unwanted) this.#close(socket);
  }

  #close(socket: Deno.TlsConn): void {
    if (this.#unwanted.delete(socket)) socket.close();
  }

  #resetSoon(link: TlsLink): void {
    this.#toReset.push(link);
    if (this.#toReset.length > 1) return; // a search is scheduled
    const wait = this.#lastReset + RESET_GAP - performance.now();
    if (wait <= 0) this.#resetAll();
    else this.#cancelReset = deadline(wait, () => this.#resetAll());
  }

  #resetAll(): void {
    this.#lastReset = performance.now();
    for (const link of this.#toReset.splice(0)) {
      if (this.#unwanted.has(link.socket)) reset(link);
    }
  }
}
