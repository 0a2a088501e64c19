/**
 * The options of a relay.
 *
 * @module
 */
import { checkPort, formatHostPort } from "../../common/address.ts";
import { checkCount, checkOptions, checkTimeout, type OptionNames } from "../../common/options.ts";
import { CLIENT_NAMES, SERVER_NAMES } from "../../common/tcp_option_names.ts";
import type { Codec } from "../../framing/mod.ts";
import type {
  TcpConnectOptions,
  TcpServerLimits,
  TcpServerOptions,
  TcpTimeouts,
  UnixConnectOptions,
} from "../../tcp/mod.ts";
import type { RelayObserver } from "./events.ts";
import { leadsTo } from "./_loop.ts";

/** How to relay: all options of `serveTcp` for the clients' side, those of `connectTcp` in `target`. */
export interface RelayOptions extends TcpServerOptions {
  /**
   * Where to, and how to connect there: its `timeout` is 10 seconds unless specified, and its
   * `timeouts.idle` and `timeouts.write` are those of the clients' side. With `tls` plain clients can use
   * a TLS server, and what passes can be read.
   */
  target: TcpConnectOptions | UnixConnectOptions;
  /**
   * Receives the events.
   *
   * @default {undefined} no events; a target that cannot be reached is reported on stderr
   */
  observer?: RelayObserver | undefined;
  /**
   * The number of the first connection. A capture that is continued needs one that is not in it yet:
   * see `endOfCapture`.
   *
   * @default {1}
   */
  firstId?: number | undefined;
  /**
   * Tell the observer about each read. Without it, only about connections: the fastest way.
   *
   * @default {true}
   */
  reads?: boolean | undefined;
  /**
   * Finds the messages inside the reads, for the observer. What is relayed are the bytes as they come,
   * whether or not they are messages.
   *
   * @default {undefined} reads only
   */
  framing?: Codec<unknown> | undefined;
  /**
   * How many connections, and how much memory for each. `maxConnections` is 1,024 unless specified,
   * because each may hold two buffers and two sockets.
   */
  limits?: TcpServerLimits | undefined;
  /**
   * How long a connection may take over what. `idle` is an hour unless specified: a relay does not know
   * how long its clients are silent, but some never come back. `write`, the time in which a side takes
   * nothing although there is something for it, is as long as `idle` unless specified.
   */
  timeouts?: TcpTimeouts | undefined;
  /**
   * Have the system probe silent peers (SO_KEEPALIVE), on both sides.
   *
   * @default {true}
   */
  keepAlive?: boolean | undefined;
}

const NAMES: OptionNames<RelayOptions> = {
  ...SERVER_NAMES,
  ...{ observer: true, firstId: true, reads: true, framing: true },
  target: CLIENT_NAMES,
};

/** Fills in the defaults. What `serveTcp` checks is not checked here. */
export function resolveOptions(options: RelayOptions) {
  checkOptions("serveRelay", options, NAMES);
  const { target, observer, firstId = 1, reads = true, framing, ...server } = options;
  const { limits, timeouts, keepAlive = true } = server;
  refuseLoop(options);
  checkTimeout("target.timeout", target.timeout ?? 0);
  for (const [name, value] of Object.entries(target.timeouts ?? {})) {
    checkTimeout(`target.timeouts.${name}`, value ?? 0);
  }
  const idle = timeouts?.idle ?? 3_600_000;
  const write = timeouts?.write ?? idle;
  return {
    observer,
    firstId: checkCount("firstId", firstId, 1),
    reads,
    framing,
    server: {
      ...server,
      keepAlive,
      limits: { ...limits, maxConnections: limits?.maxConnections ?? 1_024 },
      timeouts: { ...timeouts, idle, write },
    },
    target: {
      ...target,
      keepAlive: target.keepAlive ?? keepAlive,
      timeout: target.timeout ?? 10_000,
      timeouts: {
        ...target.timeouts,
        idle: target.timeouts?.idle ?? idle,
        write: target.timeouts?.write ?? write,
      },
    },
  };
}

/** A relay that leads to itself would connect to itself until it runs out of connections. */
function refuseLoop({ target, port = 0, hostname = "127.0.0.1" }: RelayOptions): void {
  if (target.path !== undefined) return;
  checkPort("target.port", target.port, 1);
  if (port === 0 || port !== target.port) return;
  if (leadsTo(target.hostname ?? "127.0.0.1", hostname)) throw isItself(target);
}

/** The error of a relay that leads to itself. */
export function isItself(target: TcpConnectOptions | UnixConnectOptions): TypeError {
  const name = target.path ?? formatHostPort(target.hostname ?? "127.0.0.1", target.port);
  return new TypeError(`Cannot relay to ${name}: that is the relay itself`);
}
