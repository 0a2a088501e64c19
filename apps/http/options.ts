/**
 * What a fetch can be told.
 *
 * @module
 */
import { checkCount } from "../../common/options.ts";
import type { TlsClientOptions } from "../../tcp/mod.ts";
import {
  type HttpLimits,
  type HttpTimeouts,
  resolveHttpTimeouts,
  resolveLimits,
} from "./limits.ts";
import type { HttpTraceEvent } from "./trace.ts";

/** Redirects that are followed, unless said otherwise: as many as browsers follow. */
export const DEFAULT_MAX_REDIRECTS = 20;

/** What a fetch can be told. */
export interface HttpGetOptions {
  /**
   * `HEAD` asks for the head alone.
   *
   * @default {"GET"}
   */
  method?: "GET" | "HEAD";
  /**
   * Fields to send besides or instead of `Host`, `User-Agent`, `Accept` and `Accept-Encoding`.
   * `Authorization`, `Cookie`, `Proxy-Authorization` and `Host` are for the first server alone: a
   * redirect to another origin drops them.
   *
   * @default {undefined} none
   */
  headers?: Record<string, string> | Iterable<readonly [string, string]>;
  /**
   * Ask for gzip and deflate, and unpack the body. Without it the body is what was sent, byte for byte.
   * A file that is compressed itself (its address ends in `.gz`, `.tgz` …) is asked for as it is, and is
   * never unpacked, also where the server labels it with its own compression.
   *
   * @default {true}
   */
  decode?: boolean;
  /**
   * Follow redirects (301, 302, 303, 307, 308).
   *
   * @default {true}
   */
  followRedirects?: boolean;
  /**
   * Redirects that are followed; one more is an error.
   *
   * @default {20}
   */
  maxRedirects?: number;
  /**
   * Follow redirects from https to http, where everybody on the way can read and change the page.
   *
   * @default {false}
   */
  allowDowngrade?: boolean;
  /**
   * How to speak TLS for https.
   *
   * @default {undefined} the runtime's certificates
   */
  tls?: TlsClientOptions;
  /** Ends the fetch, also while the body is read: what waits rejects with the signal's reason. */
  signal?: AbortSignal;
  /** How long it may take. */
  timeouts?: HttpTimeouts;
  /** How large it may be. */
  limits?: HttpLimits;
  /**
   * Is shown everything that goes over the wire, as it happens.
   *
   * @default {undefined} nobody
   */
  onTrace?: (event: HttpTraceEvent) => void;
}

/** Options with their defaults. */
export interface Settings {
  readonly method: "GET" | "HEAD";
  readonly decode: boolean;
  readonly followRedirects: boolean;
  readonly maxRedirects: number;
  readonly allowDowngrade: boolean;
  readonly tls: TlsClientOptions;
  readonly signal: AbortSignal | undefined;
  readonly timeouts: Required<HttpTimeouts>;
  readonly limits: Required<HttpLimits>;
  readonly onTrace: (event: HttpTraceEvent) => void;
}

/** Fills in the defaults and checks every value. */
export function resolveOptions(options: HttpGetOptions): Settings {
  const {
    method = "GET",
    decode = true,
    followRedirects = true,
    maxRedirects = DEFAULT_MAX_REDIRECTS,
    allowDowngrade = false,
    tls = {},
    signal,
    onTrace = () => {},
  } = options;
  if (method !== "GET" && method !== "HEAD") {
    throw new TypeError(
      `Cannot use option "method": expected "GET" or "HEAD", current value is "${method}"`,
    );
  }
  return {
    method,
    decode,
    followRedirects,
    maxRedirects: checkCount("maxRedirects", maxRedirects),
    allowDowngrade,
    tls: { alpnProtocols: ["http/1.1"], ...tls },
    signal,
    timeouts: resolveHttpTimeouts(options.timeouts),
    limits: resolveLimits(options.limits),
    onTrace,
  };
}
