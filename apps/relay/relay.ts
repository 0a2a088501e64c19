/**
 * Passing bytes on between clients and a target, and telling what passes.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";
import { checkPort, formatHostPort } from "../../common/address.ts";
import { deadline } from "../../common/deadline.ts";
import { checkCount, checkTimeout } from "../../common/options.ts";
import { PeerReport } from "../../common/peer_report.ts";
import type { Codec } from "../../framing/codec.ts";
import { connectTcp, type TcpConnectOptions, type TlsClientOptions } from "../../tcp/connect.ts";
import type { TcpConnection } from "../../tcp/connection.ts";
import { serveTcp } from "../../tcp/server.ts";
import type { TcpServer } from "../../tcp/server_handle.ts";
import type { TcpServerOptions } from "../../tcp/server_options.ts";
import type { TcpTimeouts } from "../../tcp/timeouts.ts";
import { leadsTo, LoopGuard } from "./_loop.ts";
import { Pair } from "./_pair.ts";
import type { RelayEventBase, RelayObserver } from "./events.ts";

/** Connections at one time, unless said otherwise: each may hold two buffers and two sockets. */
export const DEFAULT_MAX_RELAYED = 1_024;

/** Milliseconds to reach the target, unless said otherwise. */
export const DEFAULT_RELAY_CONNECT_TIMEOUT = 10_000;

/**
 * Milliseconds without a byte in either direction after which a connection is ended, unless said
 * otherwise: an hour. A relay does not know how patient its clients are, but some never come back.
 */
export const DEFAULT_RELAY_IDLE_TIMEOUT = 3_600_000;

/**
 * Milliseconds that a client waits which may be the relay itself, while the relay is connecting: by then
 * a connection to itself is known to be one, instead of after some dozen more.
 */
const LOOP_TIME = 100;

/** Where a relay leads to. */
export interface RelayTarget {
  /** The port. */
  port: number;
  /**
   * The name or address.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Speak TLS to the target, so that plain clients can use it and what passes can be read.
   *
   * @default {false}
   */
  tls?: boolean | TlsClientOptions;
}

/** How to relay. */
export interface RelayOptions {
  /** Where to. */
  target: RelayTarget;
  /**
   * The port to listen on; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  port?: number;
  /**
   * The address to listen on.
   *
   * @default {"127.0.0.1"} nothing is exposed unless asked for
   */
  hostname?: string;
  /**
   * Is told what happens.
   *
   * @default {undefined} nobody looks, and nothing is spent on it
   */
  observer?: RelayObserver;
  /**
   * The number of the first connection. A capture that is continued needs one that is not in it yet:
   * see `endOfCapture`.
   *
   * @default {1}
   */
  firstId?: number;
  /**
   * Tell the observer about each read. Without it, only about connections: the fastest way.
   *
   * @default {true}
   */
  reads?: boolean;
  /**
   * Finds the messages inside the reads, for the observer. What is relayed are the bytes as they come,
   * whether or not they are messages.
   *
   * @default {undefined} reads only
   */
  framing?: Codec<unknown>;
  /**
   * Connections at one time; who comes later waits to be accepted.
   *
   * @default {1_024}
   */
  maxConnections?: number;
  /**
   * Milliseconds to reach the target.
   *
   * @default {10_000}
   */
  connectTimeout?: number;
  /**
   * Milliseconds without a byte in either direction after which a connection is ended; also, how long
   * one side may refuse to take anything while there is something for it.
   *
   * @default {3_600_000}
   */
  idleTimeout?: number;
  /** Ends the relay and all its connections at once. */
  signal?: AbortSignal;
  /**
   * Called once with the address, when the relay listens.
   *
   * @default {undefined} prints `listening on HOST:PORT` to stderr
   */
  onListen?: (addr: SocketAddress) => void;
}

/**
 * Relays connections: everybody who connects is connected to the target, and bytes are passed on both
 * ways as they come. Each side can end for itself (half-close), and a slow side slows down the other.
 *
 * @param options Where to listen, where to, and who is told.
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
 *   target: { port: (echo.addr as Deno.NetAddr).port },
 *   onListen() {},
 *   observer(event) {
 *     if (event.type === "data") seen.push(`${event.from}: ${event.data.length}`);
 *   },
 * });
 *
 * await using conn = await connectTcp({ port: (relay.addr as Deno.NetAddr).port });
 * await conn.write("hello\n");
 * assertEquals(await conn.readLine(), "hello");
 * assertEquals(seen, ["client: 6", "target: 6"]);
 * ```
 */
export function serveRelay(options: RelayOptions): TcpServer {
  const { target, port = 0, hostname = "127.0.0.1", observer, framing, reads = true } = options;
  const firstId = checkCount("firstId", options.firstId ?? 1, 1);
  checkPort("target.port", target.port, 1);
  refuseLoop(target, port, hostname);
  const idle = checkTimeout("idleTimeout", options.idleTimeout ?? DEFAULT_RELAY_IDLE_TIMEOUT);
  const timeouts: TcpTimeouts = { idle, write: idle };
  const serverOptions: TcpServerOptions = {
    port,
    hostname,
    timeouts,
    keepAlive: true,
    limits: {
      maxConnections: checkCount(
        "maxConnections",
        options.maxConnections ?? DEFAULT_MAX_RELAYED,
        1,
      ),
    },
  };
  if (options.signal !== undefined) serverOptions.signal = options.signal;
  if (options.onListen !== undefined) serverOptions.onListen = options.onListen;
  const targetOptions: TcpConnectOptions = {
    ...target,
    timeouts,
    keepAlive: true,
    timeout: checkTimeout(
      "connectTimeout",
      options.connectTimeout ?? DEFAULT_RELAY_CONNECT_TIMEOUT,
    ),
  };
  const loops = new LoopGuard(isItself(target));
  let lastId = firstId - 1;
  const connecting = new Set<Promise<unknown>>();
  const reports = new PeerReport();
  const server = serveTcp(serverOptions, async (client) => {
    loops.entered(client);
    try {
      await relay(client, ++lastId);
    } finally {
      loops.left(client);
    }
  });
  server.finished.then(() => reports.close());
  return server;

  async function relay(client: TcpConnection, id: number): Promise<void> {
    const startedAt = performance.now();
    const base = (): RelayEventBase => stamp(id, startedAt);
    let upstream: TcpConnection;
    try {
      upstream = await connect(client);
    } catch (error) {
      if (client.signal.aborted && !client.draining) return; // it was ended meanwhile
      const reason = error instanceof Error ? error.message : String(error);
      await observer?.({ ...base(), type: "refused", client: client.remoteAddr, reason });
      if (observer === undefined) reports.mistake(reason);
      client.abort();
      return;
    }
    try {
      await new Pair({ client, target: upstream, observer, reads, framing, base }).run();
    } finally {
      loops.ended(upstream);
    }
  }

  async function connect(client: TcpConnection): Promise<TcpConnection> {
    if (mayBeOwn(client)) await settled(connecting, LOOP_TIME);
    const connected = connectTcp({ ...targetOptions, signal: client.signal });
    connecting.add(connected);
    try {
      const upstream = await connected;
      loops.connected(upstream);
      return upstream;
    } finally {
      connecting.delete(connected);
    }
  }

  /** Whether the relay itself may be the client: then it waits for what is known in a moment. */
  function mayBeOwn({ localAddr, remoteAddr }: TcpConnection): boolean {
    return "port" in localAddr && localAddr.port === target.port && "port" in remoteAddr &&
      localAddr.hostname === remoteAddr.hostname && connecting.size > 0;
  }
}

/** Waits until all have settled, but no longer than some milliseconds. */
async function settled(promises: Iterable<Promise<unknown>>, time: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = deadline(time, late.resolve);
  await Promise.race([Promise.allSettled(promises), late.promise]);
  cancel();
}

function stamp(id: number, startedAt: number): RelayEventBase {
  const elapsed = Math.round((performance.now() - startedAt) * 1_000) / 1_000;
  return { id, time: Date.now(), elapsed };
}

/** A relay that leads to itself would connect to itself until it runs out of connections. */
function refuseLoop(target: RelayTarget, port: number, hostname: string): void {
  const to = target.hostname ?? "127.0.0.1";
  if (port === 0 || port !== target.port || !leadsTo(to, hostname)) return;
  throw isItself(target);
}

function isItself({ hostname = "127.0.0.1", port }: RelayTarget): TypeError {
  return new TypeError(
    `Cannot relay to ${formatHostPort(hostname, port)}: that is the relay itself`,
  );
}
