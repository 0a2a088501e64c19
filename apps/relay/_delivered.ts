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

/** The next look, shared by all that wait for it. */
let looking: Promise<Map<string, number>> | undefined;

/**
 * Settles when the peer's system has received everything, or takes nothing any more, or when this
 * system does not tell (proc(5) exists on Linux, and reading it needs the permission). It never rejects.
 */
export async function delivered(conn: TcpConnection): Promise<void> {
  const { localAddr, remoteAddr } = conn;
  if (!("port" in localAddr && "port" in remoteAddr)) return;
  const ports = `${hex(localAddr.port)} ${hex(remoteAddr.port)}`;
  let isClosed = false;
  conn.closed.then(() => isClosed = true);
  let queued = Infinity;
  let since = performance.now();
  while (!isClosed) {
    const unsent = (await look(queued === Infinity ? 0 : INTERVAL)).get(ports) ?? 0;
    const now = performance.now();
    if (unsent < queued) since = now;
    if (unsent === 0 || now - since >= STALL_LIMIT) return;
    queued = unsent;
  }
}

/** The send queues in some milliseconds, or at the next look that another connection waits for. */
function look(ms: number): Promise<Map<string, number>> {
  return looking ??= new Promise((resolve) => {
    setTimeout(() => {
      looking = undefined;
      resolve(sendQueues());
    }, ms);
  });
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
