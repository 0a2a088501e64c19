/**
 * What a scan found out.
 *
 * @module
 */

/**
 * `open`: something accepts connections there. `closed`: the machine refuses them.
 * `filtered`: no word, or word from something on the way that connections are not let through.
 */
export type PortState = "open" | "closed" | "filtered";

/** What is known about one port. */
export interface PortResult {
  /** The host as the user named it. */
  readonly host: string;
  /** The address that was asked. */
  readonly address: string;
  /** The port. */
  readonly port: number;
  /** What was found. */
  readonly state: PortState;
  /** Why: `"accepted"`, `"refused"`, `"no answer"`, `"host unreachable"` … */
  readonly reason: string;
  /** What commonly listens on that port; a guess from its number. */
  readonly service?: string | undefined;
  /** Milliseconds from asking to the answer, for open ports. */
  readonly latency?: number | undefined;
  /** What the server sent unasked, if banners were read. Any bytes: escape them before showing them. */
  readonly banner?: Uint8Array<ArrayBuffer> | undefined;
}

/** What is known about one host. */
export interface HostReport {
  /** The host as the user named it. */
  readonly host: string;
  /** The address that was scanned. */
  readonly address: string;
  /** Other addresses of that name, which were not scanned. */
  readonly otherAddresses: readonly string[];
  /** How many ports are in which state. */
  readonly counts: Readonly<Record<PortState, number>>;
  /** The open ports in ascending order. */
  readonly open: readonly PortResult[];
  /**
   * The ports in ascending order, all of them or those in one state.
   *
   * @param state Only these.
   */
  ports(state?: PortState): Generator<PortResult>;
}

/** What a scan found out. */
export interface ScanReport {
  /** One for each address, in the order they were named. */
  readonly hosts: readonly HostReport[];
  /** How many ports of how many hosts: the product. */
  readonly probes: number;
  /** How long it took, in milliseconds. */
  readonly duration: number;
}
