/**
 * The options of a server of files.
 *
 * @module
 */
import type { SocketAddress } from "../../errors.ts";
import { checkCount, checkOptions, checkTimeout, type OptionNames } from "../../common/options.ts";
import { SERVER_NAMES } from "../../common/tcp_option_names.ts";
import type { TcpServerOptions, UnixServerOptions } from "../../tcp/mod.ts";
import { Pace } from "./_pace.ts";
import type { UploadOptions } from "./_uploads.ts";

/** What a client asked for and got. */
export interface FileTransferEvent {
  /** What was asked for. */
  readonly verb: "LIST" | "GET" | "PUT" | "?";
  /** The name that was asked for, as it came over the wire: escape it before you show it. */
  readonly name: string;
  /** Who asked. */
  readonly remoteAddr: SocketAddress;
  /** Bytes of the file that went through. */
  readonly bytes: number;
  /** Milliseconds it took. */
  readonly duration: number;
  /** Why it failed; `undefined` if it did not. */
  readonly error?: unknown;
}

/** Everything that `serveTcp` takes, and how to treat files. */
export type FileServerOptions<
  Where extends TcpServerOptions | UnixServerOptions = TcpServerOptions | UnixServerOptions,
> = Where & {
  /**
   * Show and send files and folders whose names begin with a dot.
   *
   * @default {false}
   */
  hidden?: boolean | undefined;
  /**
   * Let clients store files.
   *
   * @default {undefined} they cannot
   */
  upload?: UploadOptions | undefined;
  /** How long connections, requests and transfers may take. */
  timeouts?: {
    /**
     * Milliseconds for a request to arrive after connecting.
     *
     * @default {10_000}
     */
    request?: number | undefined;
    /**
     * Milliseconds without a single byte of a transfer; then it is ended with the code `too_slow`.
     *
     * @default {60_000} a network that is silent for a minute is not coming back soon
     */
    stall?: number | undefined;
  } | undefined;
  /**
   * How many clients, how slow, and how large a folder. `maxConnections` is 128 unless specified, because
   * each takes up to 2 MiB of memory, and `maxConnectionsPerIp` is 32.
   */
  limits?: {
    /**
     * Bytes per second, on average over four times `timeouts.stall`, below which a transfer is ended with
     * the code `too_slow`: against clients that send or take a byte now and then to keep their place.
     * 0 for no minimum.
     *
     * @default {128} a tenth of the slowest mobile network
     */
    minRate?: number | undefined;
    /**
     * Entries of a folder that can be listed; larger folders are refused.
     *
     * @default {100_000} a few seconds of looking, and about 10 MB
     */
    maxEntries?: number | undefined;
  } | undefined;
  /** Called after each request; the connection is closed when it is done. */
  onTransfer?: ((event: FileTransferEvent) => void) | undefined;
};

const NAMES: OptionNames<TcpServerOptions & FileServerOptions> = {
  ...SERVER_NAMES,
  hidden: true,
  upload: { quota: true, replace: true },
  timeouts: { ...SERVER_NAMES.timeouts, request: true, stall: true },
  limits: { ...SERVER_NAMES.limits, minRate: true, maxEntries: true },
  onTransfer: true,
};

/** What a server is made from: the options, checked, with their defaults. */
export type FileServerSettings = ReturnType<typeof resolveOptions>;

/** Checks the options and fills in the defaults. What `serveTcp` checks is not checked here. */
export function resolveOptions(options: FileServerOptions) {
  checkOptions("serveFiles", options, NAMES);
  const { hidden = false, upload, onTransfer, ...rest } = options;
  const { request = 10_000, stall, ...timeouts } = options.timeouts ?? {};
  const { minRate, maxEntries = 100_000, ...limits } = options.limits ?? {};
  const { maxConnections = 128, maxConnectionsPerIp = 32 } = limits;
  Pace.check({ stall, minRate });
  // A client that waits while the server reads is not idle, and one that takes bytes slowly takes
  // them in lumps: `Pace` knows of both.
  const { idle = Infinity, write = Infinity } = timeouts;
  const server: TcpServerOptions | UnixServerOptions = {
    ...rest,
    limits: { ...limits, maxConnections, maxConnectionsPerIp },
    timeouts: { ...timeouts, idle, write },
  };
  return {
    ...{ server, maxConnections, maxConnectionsPerIp, hidden, upload, onTransfer },
    requestTimeout: checkTimeout("timeouts.request", request),
    maxEntries: checkCount("limits.maxEntries", maxEntries),
    pace: { stall, minRate },
  };
}
