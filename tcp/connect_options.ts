/**
 * The options of clients.
 *
 * @module
 */
import type { TcpLimits } from "./limits.ts";
import type { TcpTimeouts } from "./timeouts.ts";

/** How to try again when connecting fails. */
export interface RetryOptions {
  /**
   * Attempts in all, the first one included.
   *
   * @default {5}
   */
  attempts?: number | undefined;
  /**
   * Milliseconds before the second attempt, at least 1; each wait after it is twice as long.
   *
   * @default {100}
   */
  minDelay?: number | undefined;
  /**
   * The longest wait, in milliseconds, at least 1; `Infinity` for none.
   *
   * @default {10_000}
   */
  maxDelay?: number | undefined;
  /**
   * How much of each wait is drawn by chance, from 0 (none) to 1 (all), so that clients that lost
   * the same server do not all come back at the same moment.
   *
   * @default {0.5}
   */
  jitter?: number | undefined;
}

/** How to speak TLS to a server. */
export interface TlsClientOptions {
  /**
   * The name that the server's certificate must be for, and that is sent to it (SNI).
   *
   * @default {undefined} the `hostname` that is connected to
   */
  serverName?: string | undefined;
  /** Certificates to trust besides the runtime's own, in PEM form. */
  caCerts?: string[] | undefined;
  /** The protocols to offer in the handshake (ALPN, RFC 7301), the preferred one first. */
  alpnProtocols?: string[] | undefined;
  /** Our certificate chain, in PEM form, for servers that ask for one. Needs `key`. */
  cert?: string | undefined;
  /** The private key of `cert`, in PEM form. */
  key?: string | undefined;
  /**
   * Accept a certificate that is valid but for another name.
   *
   * @default {false}
   */
  unsafelyDisableHostnameVerification?: boolean | undefined;
  /**
   * Accept any certificate: expired, self-signed, or another server's. What is sent is encrypted, but
   * no one knows for whom. For a device on your desk; never for anything that matters. Such a
   * connection goes through `node:tls`, which is slower.
   *
   * @default {false}
   */
  unsafelyIgnoreCertificateErrors?: boolean | undefined;
}

/** The options that every client has. */
export interface TcpConnectBaseOptions {
  /**
   * Milliseconds that one attempt may take, name lookup and TLS handshake included. `Infinity` leaves
   * it to the system (about two minutes on Linux), 0 fails at once.
   *
   * @default {30_000}
   */
  timeout?: number | undefined;
  /** Gives up connecting: the call rejects with the signal's reason. It does not close a connection
   * that was made. */
  signal?: AbortSignal | undefined;
  /**
   * Try again when the server cannot be reached: how often, or how. A number is the attempts in all.
   * What would fail again (a wrong certificate, a missing permission) is not tried again.
   *
   * @default {1}
   */
  retry?: number | RetryOptions | undefined;
  /** How long the connection may take over what. */
  timeouts?: TcpTimeouts | undefined;
  /** How much memory for the connection. */
  limits?: TcpLimits | undefined;
}

/** Options of a client of a TCP server. */
export interface TcpConnectOptions extends TcpConnectBaseOptions {
  /** A client of a port has none. */
  path?: never | undefined;
  /** The server's port, from 1 to 65535. */
  port: number;
  /**
   * The server's name or address. Of a name with addresses of both families the faster one wins
   * (Happy Eyeballs, RFC 8305).
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * Speak TLS; `true` for the runtime's certificates and the given `hostname`.
   *
   * @default {false}
   */
  tls?: boolean | TlsClientOptions | undefined;
  /**
   * Send small writes at once instead of waiting for the answer to the last one (TCP_NODELAY). The
   * runtime cannot set it for TLS with a client certificate.
   *
   * @default {true}
   */
  noDelay?: boolean | undefined;
  /**
   * Have the system probe a silent peer (SO_KEEPALIVE).
   *
   * @default {false}
   */
  keepAlive?: boolean | undefined;
  /** What an address says of itself: `connectTcp(server.addr)` works. It changes nothing. */
  transport?: Deno.NetAddr["transport"] | undefined;
}

/** Options of a client of a unix socket. */
export interface UnixConnectOptions extends TcpConnectBaseOptions {
  /** The path of the server's socket. */
  path: string;
  /** Only a port has that. */
  port?: never | undefined;
  /** Only a port has that. */
  hostname?: never | undefined;
  /** Only a port has that. */
  tls?: false | undefined;
  /** Has no effect: nothing delays small writes on a unix socket. */
  noDelay?: boolean | undefined;
  /** Has no effect: the system notices when a peer on the same machine ends. */
  keepAlive?: boolean | undefined;
  /** What an address says of itself: `connectTcp(server.addr)` works. It changes nothing. */
  transport?: Deno.UnixAddr["transport"] | undefined;
}

/** The options of {@linkcode TcpConnectOptions} that a unix socket does not have. */
export const PORT_OPTIONS: readonly (keyof UnixConnectOptions)[] = ["port", "hostname", "tls"];
