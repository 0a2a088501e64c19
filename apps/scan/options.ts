/**
 * The options of a scan.
 *
 * @module
 */
import {
  checkCount,
  checkOneOf,
  checkOptions,
  checkTimeout,
  namesOf,
  type OptionNames,
} from "../../common/options.ts";
import type { PortResult } from "./report.ts";

/** With more attempts than this it is no longer a scan. */
const MAX_RETRIES = 10;

/** How far a scan has got. */
export interface ScanProgress {
  /** Probes that are decided. */
  readonly done: number;
  /** All probes. */
  readonly total: number;
  /** Open ports so far. */
  readonly open: number;
}

/** How to scan. */
export interface ScanOptions {
  /**
   * The ports: numbers, or a list of ports (`22`), ranges (`8000-8100`; open at one end: `60000-`,
   * `-1024`), `-` for all ports, and names of services (`ssh`), separated by commas.
   *
   * @default {undefined} 1 to 1024, and the higher ports of well-known services
   */
  ports?: string | readonly number[] | undefined;
  /**
   * Milliseconds that a port has to answer, however often it is asked. A port that does not is
   * `filtered`. With 0 it has to answer at once, with `Infinity` the system decides how long it waits.
   *
   * @default {1_000} three times the way around the world
   */
  timeout?: number | undefined;
  /**
   * How often a port that has not answered is asked again within `timeout`, at even intervals: a
   * packet that was lost must not look like a filter. From 0 to 10.
   *
   * @default {1}
   */
  retries?: number | undefined;
  /**
   * Probes at one time. Fewer are used when the system has no descriptors left, or packets get lost.
   *
   * @default {4_096} below the source ports and descriptors that systems have
   */
  concurrency?: number | undefined;
  /**
   * Read what open ports send unasked; for how many milliseconds (1,000 unless specified), and how
   * many bytes of it to keep (512 unless specified).
   *
   * @default {false}
   */
  banner?:
    | boolean
    | { readonly timeout?: number | undefined; readonly maxLength?: number | undefined }
    | undefined;
  /**
   * Which address of a name to scan: the IPv4 or the IPv6 one.
   *
   * @default {undefined} the IPv4 address if there is one
   */
  family?: 4 | 6 | undefined;
  /**
   * Allow address ranges that are neither loopback nor private. To scan the networks of others without
   * their consent is rude everywhere and forbidden in many places.
   *
   * @default {false}
   */
  allowPublicRanges?: boolean | undefined;
  /**
   * Addresses in one scan, at most 65,536.
   *
   * @default {256} one /24 network
   */
  maxHosts?: number | undefined;
  /**
   * Use a second isolate (a worker) for large scans, where the permissions let it load its module. It
   * halves the time.
   *
   * @default {true}
   */
  worker?: boolean | undefined;
  /** Ends the scan: it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called for each open port as it is found, in no particular order. What it throws ends the scan. */
  onOpen?: ((port: PortResult) => void) | undefined;
  /** Called at the beginning, ten times a second, and at the end. What it throws ends the scan. */
  onProgress?: ((progress: ScanProgress) => void) | undefined;
}

const NAMES: OptionNames<ScanOptions> = {
  ...namesOf("ports", "timeout", "retries", "concurrency", "family", "allowPublicRanges"),
  ...namesOf("maxHosts", "worker", "signal", "onOpen", "onProgress"),
  banner: [namesOf("timeout", "maxLength")],
};

/** How long to wait for what open ports send, and how much of it to keep. */
export interface BannerLimits {
  timeout: number;
  maxLength: number;
}

/** The options as numbers, for each isolate. */
export interface ScanLimits {
  /** Milliseconds a port has to answer. */
  readonly timeout: number;
  /** How often it is asked again in that time. */
  readonly retries: number;
  /** Probes at one time in this isolate. */
  readonly concurrency: number;
  readonly banner: BannerLimits | undefined;
}

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: ScanOptions): ScanLimits {
  checkOptions("scanPorts", options, NAMES);
  const { timeout = 1_000, retries = 1, concurrency = 4_096, banner = false } = options;
  if (typeof banner !== "object") checkOneOf("banner", banner, [true, false]);
  const limits = typeof banner === "object" ? banner : {};
  const attempts = checkCount("retries", retries, 0, MAX_RETRIES);
  return {
    timeout: checkTimeout("timeout", timeout),
    retries: timeout === 0 ? 0 : attempts,
    concurrency: checkCount("concurrency", concurrency, 1),
    banner: banner === false ? undefined : {
      timeout: checkTimeout("banner.timeout", limits.timeout ?? 1_000),
      maxLength: checkCount("banner.maxLength", limits.maxLength ?? 512, 1),
    },
  };
}
