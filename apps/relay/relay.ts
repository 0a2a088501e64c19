/**
 * Passing bytes on between clients and a target, and reporting them to an observer.
 *
 * @module
 */
import { deadline } from "../../common/deadline.ts";
import { EventClock } from "../../common/event_clock.ts";
import { PeerReport } from "../../common/peer_report.ts";
import { messageOf } from "../../common/system_reason.ts";
import { connectTcp, serveTcp, type TcpConnection, type TcpServer } from "../../tcp/mod.ts";
import { SelfRelayGuard } from "./_loop.ts";
import { Pair } from "./_pair.ts";
import { isItself, type RelayOptions, resolveOptions } from "./options.ts";

/**
 * How long a client that may be the relay itself waits while the relay is connecting, in milliseconds. By
 * then a loop is recognised; without the wait it would have made dozens of connections.
 */
const LOOP_TIME = 100;

/**
 * Relays connections: each client is connected to the target, and bytes are passed on both ways as they
 * come. Each side can end for itself (half-close), and a slow side slows down the other.
 *
 * @param options Where to listen, where to connect, and what the observer receives.
 * @returns The server, which is listening already. `shutdown` lets connections come to their end.
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.NotCapable} Without the permission to listen there.
 * @throws {RangeError | TypeError} If an option is out of range, or the relay would lead to itself.
 *
 * @example
 * ```ts
 * import { serveRelay } from "@tincan/net/relay";
 * import { connectTcp, serveTcp } from "@tincan/net/tcp";
 * import { assertEquals } from "@std/assert";
 *
 * await using echo = serveTcp({ port: 0, onListen() {} }, async (conn) => {
 *   for await (const chunk of conn) await conn.write(chunk);
 * });
 * const seen: string[] = [];
 * await using relay = serveRelay({
 *   target: { port: echo.addr.port },
 *   onListen() {},
 *   observer(event) {
 *     if (event.type === "data") seen.push(`${event.from}: ${event.data.length}`);
 *   },
 * });
 *
 * await using conn = await connectTcp({ port: relay.addr.port });
 * await conn.write("hello\n");
 * assertEquals(await conn.readLine(), "hello");
 * assertEquals(seen, ["client: 6", "target: 6"]);
 * ```
 */
export function serveRelay(options: RelayOptions): TcpServer<Deno.NetAddr> {
  const { server: serverOptions, target, firstId, ...shown } = resolveOptions(options);
  const { observer } = shown;
  const loops = new SelfRelayGuard(isItself(target));
  let lastId = firstId - 1;
  const connecting = new Set<Promise<unknown>>();
  const reports = new PeerReport();
  const server = serveTcp(serverOptions, async (client) => {
    const clock = new EventClock(++lastId);
    loops.entered(client);
    let upstream: TcpConnection;
    try {
      upstream = await connect(client);
    } catch (error) {
      if (client.signal.aborted && !client.draining) return; // it was ended meanwhile
      const reason = messageOf(error);
      await observer?.({ ...clock.now(), type: "refused", client: client.remoteAddr, reason });
      if (observer === undefined) reports.line(reason);
      client.abort();
      return;
    }
    await new Pair({ ...shown, client, target: upstream, clock }).run();
  });
  server.finished.then(() => reports.close());
  return server;

  async function connect(client: TcpConnection<Deno.NetAddr>): Promise<TcpConnection> {
    if (mayBeOwn(client)) await settled(connecting, LOOP_TIME);
    const signals = [client.signal, target.signal].filter((signal) => signal !== undefined);
    const connected = connectTcp({ ...target, signal: AbortSignal.any(signals) });
    connecting.add(connected);
    try {
      const upstream = await connected;
      loops.connected(upstream);
      return upstream;
    } finally {
      connecting.delete(connected);
    }
  }

  /** Whether the client may be the relay itself, which is known once the relay has connected. */
  function mayBeOwn({ localAddr, remoteAddr }: TcpConnection<Deno.NetAddr>): boolean {
    return localAddr.port === target.port && localAddr.hostname === remoteAddr.hostname &&
      connecting.size > 0;
  }
}

/** Waits until all have settled, but no longer than some milliseconds. */
async function settled(promises: Iterable<Promise<unknown>>, time: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = deadline(time, late.resolve);
  await Promise.race([Promise.allSettled(promises), late.promise]);
  cancel();
}
