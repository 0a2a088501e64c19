/**
 * Waiting until the peer's system has what was written: what a reset overtakes is lost.
 *
 * @module
 */
import type { TcpConnection } from "../../tcp/mod.ts";

/** Milliseconds to wait for a peer that takes nothing. */
const STALL_LIMIT = 2_000;
/** Milliseconds between two looks, while there is something to wait for. */
const INTERVAL = 20;

/** A connection that is about to be reset, until its peer has everything. */
interface Delivery {
  readonly ports: string;
  readonly done: () => void;
  unsent: number;
  since: number;
}

let waiting: Delivery[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Settles when the peer's system has received everything, or takes nothing any more, or when this
 * system does not tell (proc(5) exists on Linux, and reading it needs the permission). It never rejects.
 */
export function delivered({ localAddr, remoteAddr, closed }: TcpConnection): Promise<void> {
  if (!("port" in localAddr && "port" in remoteAddr)) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const ports = `${hex(localAddr.port)} ${hex(remoteAddr.port)}`;
  const one: Delivery = { ports, done: resolve, unsent: Infinity, since: performance.now() };
  waiting.push(one);
  closed.then(() => forget(one));
  if (timer === undefined) look();
  return promise;
}

/** Looks at all that wait, until none is left. */
function look(): void {
  const queues = sendQueues();
  const now = performance.now();
  for (const one of waiting) {
    const unsent = queues.get(one.ports) ?? 0;
    if (unsent < one.unsent) one.since = now;
    one.unsent = unsent;
    if (unsent === 0 || now - one.since >= STALL_LIMIT) forget(one);
  }
  timer = waiting.length > 0 ? setTimeout(look, INTERVAL) : undefined;
}

function forget(one: Delivery): void {
  waiting = waiting.filter((other) => other !== one);
  one.done();
  if (waiting.length > 0) return;
  clearTimeout(timer);
  timer = undefined;
}

/** The bytes that were written and not received yet, of each socket, by the ports of both ends. */
function sendQueues(): Map<string, number> {
  const queues = new Map<string, number>();
  try {
    for (const table of ["tcp", "tcp6"]) {
      const rows = Deno.readTextFileSync(`/proc/self/net/${table}`);
      for (
        const [, local, remote, size] of rows.matchAll(
          /:([\dA-F]{4}) [\dA-F]+:([\dA-F]{4}) [\dA-F]{2} ([\dA-F]{8}):/g,
        )
      ) {
        queues.set(`${local} ${remote}`, parseInt(size ?? "0", 16));
      }
    }
  } catch {
    // No such system, or no permission: then nothing is waited for.
  }
  return queues;
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
