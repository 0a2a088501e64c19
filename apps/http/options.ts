/**
 * The options of a fetch.
 *
 * @module
 */
import {
  checkCount,
  checkOneOf,
  checkOptions,
  namesOf,
  type OptionNames,
} from "../../common/options.ts";
import type { TlsClientOptions } from "../../tcp/mod.ts";
import {
  type HttpLimits,
  type HttpTimeouts,
  LIMIT_NAMES,
  type ResolvedLimits,
  type ResolvedTimeouts,
  resolveHttpTimeouts,
  resolveLimits,
  TIMEOUT_NAMES,
} from "./limits.ts";
import type { HttpTraceEvent } from "./trace.ts";

/** Options for {@linkcode httpGet}. */
export interface HttpGetOptions {
  /**
   * `HEAD` asks for the head alone.
   *
   * @default {"GET"}
   */
  method?: "GET" | "HEAD" | undefined;
  /**
   * Fields to send in addition to or instead of `Host`, `User-Agent`, `Accept` and `Accept-Encoding`.
   * `Authorization`, `Cookie`, `Proxy-Authorization` and `Host` are for the first server alone: a
   * redirect to another origin drops them.
   *
   * @default {undefined} none
   */
  headers?: Record<string, string> | Iterable<readonly [string, string]> | undefined;
  /**
   * Ask for gzip and deflate, and unpack the body. Without it the body is what was sent, byte for byte.
   * A file that is compressed itself (its address ends in `.gz`, `.tgz` …) is asked for as it is, and is
   * never unpacked, also where the server labels it with its own compression.
   *
   * @default {true}
   */
  decode?: boolean | undefined;
  /**
   * Follow redirects (301, 302, 303, 307, 308).
   *
   * @default {true}
   */
  followRedirects?: boolean | undefined;
  /**
   * Redirects that are followed; one more is an error.
   *
   * @default {20} as many as browsers follow
   */
  maxRedirects?: number | undefined;
  /**
   * Follow redirects from https to http, where others on the way can read and change the page.
   *
   * @default {false}
   */
  allowDowngrade?: boolean | undefined;
  /**
   * How to speak TLS for https.
   *
   * @default {undefined} the runtime's certificates
   */
  tls?: TlsClientOptions | undefined;
  /** Ends the fetch, also while the body is read: pending calls reject with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** How long it may take. */
  timeouts?: HttpTimeouts | undefined;
  /** How large it may be. */
  limits?: HttpLimits | undefined;
  /**
   * Is shown everything that goes over the wire, as it happens.
   *
   * @default {undefined} nothing is shown
   */
  onTrace?: ((event: HttpTraceEvent) => void) | undefined;
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
  readonly timeouts: ResolvedTimeouts;
  readonly limits: ResolvedLimits;
  readonly onTrace: (event: HttpTraceEvent) => void;
}

/** `tls` is checked by `connectTcp`. */
const OPTIONS = {
  limits: namesOf(...LIMIT_NAMES),
  timeouts: namesOf(...TIMEOUT_NAMES),
  ...namesOf("allowDowngrade", "decode", "followRedirects", "headers", "maxRedirects", "method"),
  ...namesOf("onTrace", "signal", "tls"),
} satisfies Omit<OptionNames<HttpGetOptions>, "tls">;

/** Fills in the defaults and checks every value. */
export function resolveOptions(options: HttpGetOptions): Settings {
  checkOptions<HttpGetOptions>("httpGet", options, OPTIONS);
  return {
    method: checkOneOf("method", options.method ?? "GET", ["GET", "HEAD"]),
    decode: options.decode ?? true,
    followRedirects: options.followRedirects ?? true,
    maxRedirects: checkCount("maxRedirects", options.maxRedirects ?? 20),
    allowDowngrade: options.allowDowngrade ?? false,
    tls: { alpnProtocols: ["http/1.1"], ...options.tls },
    signal: options.signal,
    timeouts: resolveHttpTimeouts(options.timeouts),
    limits: resolveLimits(options.limits),
    onTrace: options.onTrace ?? (() => {}),
  };
}
