/**
 * The options of servers.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { CloseInfo } from "./close_options.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpLimits } from "./limits.ts";
import type { TcpTimeouts } from "./timeouts.ts";

/** A certificate and its key, for a TLS server. */
export interface TlsServerOptions {
  /** The certificate chain, in PEM form. */
  cert: string;
  /** The private key, in PEM form (PKCS #8, PKCS #1 or SEC 1). */
  key: string;
  /** The protocols to offer in the handshake (ALPN, RFC 7301), the preferred one first. */
  alpnProtocols?: string[] | undefined;
}

/** The limits of a server. */
export interface TcpServerLimits extends TcpLimits {
  /**
   * Connections at one time.
   *
   * @default {16_384} about 200 MB of idle connections
   */
  maxConnections?: number | undefined;
  /**
   * Connections at one time from one address; IPv6 addresses count by their /64 network. What is over
   * this limit is always dropped, because the address is known only after accepting.
   *
   * @default {Infinity} because many users share the address of a proxy or a NAT
   */
  maxConnectionsPerIp?: number | undefined;
  /**
   * At `maxConnections`, `"wait"` accepts no one until a connection ends (newcomers wait in the
   * backlog), `"drop"` accepts and closes at once.
   *
   * @default {"wait"}
   */
  onLimit?: "wait" | "drop" | undefined;
}

/** The options that every server has. */
export interface TcpServerBaseOptions<Addr extends SocketAddress = SocketAddress> {
  /** Aborts the server: the listener and all connections are closed at once. */
  signal?: AbortSignal | undefined;
  /**
   * Called once with the address, when the server listens.
   *
   * @default {undefined} prints `listening on HOST:PORT` to stderr
   */
  onListen?: ((addr: Addr) => void) | undefined;
  /**
   * Called with everything that went wrong: what a handler or hook threw (with its connection), a TLS
   * handshake that failed, an accept that failed because resources ran out (without a connection).
   *
   * @default {undefined} prints to stderr: mistakes of this side with their stack; bytes that are not
   * a frame, and limits that a peer's data reached, as one line with the peer's address, escaped. Of
   * each kind at most 10 in a second; how many more there were follows. Not printed is what peers and
   * networks cause all the time (resets, broken pipes, timeouts)
   */
  onError?: ((error: unknown, conn?: TcpConnection<Addr>) => void) | undefined;
  /** Called for each connection before its handler. If it throws or rejects, the connection is closed. */
  onConnect?: ((conn: TcpConnection<Addr>) => void) | undefined;
  /** Called for each connection when its socket is closed. */
  onClose?: ((conn: TcpConnection<Addr>, info: CloseInfo) => void) | undefined;
  /** How many connections, and how much memory for each. */
  limits?: TcpServerLimits | undefined;
  /** How long connections may take over what. */
  timeouts?: TcpTimeouts | undefined;
}

/** Options of a server on a TCP port. */
export interface TcpServerOptions extends TcpServerBaseOptions<Deno.NetAddr> {
  /** A server on a port has none. */
  path?: never | undefined;
  /**
   * The port to listen on; 0 lets the system choose a free one.
   *
   * @default {0}
   */
  port?: number | undefined;
  /**
   * The address or name to listen on. `"0.0.0.0"` is every IPv4 address of the machine, `"::"` every
   * address.
   *
   * @default {"127.0.0.1"} a server is exposed only on request
   */
  hostname?: string | undefined;
  /**
   * Connections that the system keeps waiting until they are accepted, as in listen(2). Linux caps it
   * at `net.core.somaxconn`.
   *
   * @default {511}
   */
  backlog?: number | undefined;
  /** Serve TLS with this certificate. */
  tls?: TlsServerOptions | undefined;
  /**
   * Let several processes listen on the same port (SO_REUSEPORT). Needs `--unstable-net`.
   *
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /**
   * Send small writes at once instead of waiting for the answer to the last one (TCP_NODELAY). The
   * runtime cannot set it on the connections of a TLS server.
   *
   * @default {true}
   */
  noDelay?: boolean | undefined;
  /**
   * Have the system probe silent peers (SO_KEEPALIVE). Not on the connections of a TLS server.
   *
   * @default {false}
   */
  keepAlive?: boolean | undefined;
  /** Accept only from these addresses and CIDR ranges, such as `"10.0.0.0/8"` or `"::1"`. */
  allow?: readonly string[] | undefined;
  /** Never accept from these addresses and CIDR ranges; it outweighs `allow`. */
  deny?: readonly string[] | undefined;
}

/** Options of a server on a unix socket. */
export interface UnixServerOptions extends TcpServerBaseOptions<Deno.UnixAddr> {
  /**
   * The path of the socket. It is removed when the server stops. The file of a server that was killed stays
   * and causes `AddrInUse`: remove it first, where no other server can be using it.
   */
  path: string;
  /** Only a port has that, as everything up to `deny`. */
  port?: never | undefined;
  /** Only a port has that. */
  hostname?: never | undefined;
  /** Only a port has that. */
  backlog?: never | undefined;
  /** Only a port has that. */
  tls?: never | undefined;
  /** Only a port has that. */
  reusePort?: never | undefined;
  /** Only a port has that; the rights of the socket's folder limit its clients. */
  allow?: never | undefined;
  /** Only a port has that; the rights of the socket's folder limit its clients. */
  deny?: never | undefined;
  /** Has no effect: nothing delays small writes on a unix socket. */
  noDelay?: boolean | undefined;
  /** Has no effect: the system notices when a peer on the same machine ends. */
  keepAlive?: boolean | undefined;
}

/** The options of any server; where it listens decides on the addresses that its hooks are given. */
export type TcpServeOptions = (TcpServerOptions | UnixServerOptions) & TcpServerBaseOptions;

/** The options of {@linkcode TcpServerOptions} that a unix socket does not have. */
export const PORT_OPTIONS: readonly (keyof UnixServerOptions)[] = [
  "port",
  "hostname",
  "backlog",
  "tls",
  "reusePort",
  "allow",
  "deny",
];
