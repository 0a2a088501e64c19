/**
 * A second isolate for a scan, where there may be one.
 *
 * @module
 */
import type { OpenPort, ScanJob } from "./_job.ts";
import { type FromWorker, WORKER_NAME } from "./_worker.ts";

/** A worker that works on a job. */
export interface Helper {
  /** Resolves when it has done its part or has failed; it never rejects. */
  readonly finished: Promise<void>;
  /** Ends it at once. */
  stop(): void;
}

/** Starts a worker on a job; `undefined` where that is not permitted or not possible. */
export function startHelper(job: ScanJob, onOpen: (port: OpenPort) => void): Helper | undefined {
  const url = new URL("./_worker.ts", import.meta.url);
  if (!mayLoad(url)) return undefined;
  try {
    return start(new Worker(url, { type: "module", name: WORKER_NAME }), job, onOpen);
  } catch {
    return undefined; // this isolate does it alone, in twice the time
  }
}

function start(worker: Worker, job: ScanJob, onOpen: (port: OpenPort) => void): Helper {
  const { promise: finished, resolve } = Promise.withResolvers<void>();
  const stop = () => {
    worker.terminate();
    resolve();
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if ("open" in data) onOpen(data.open);
    else stop();
  };
  worker.onerror = (event) => {
    event.preventDefault(); // what it has not done, this isolate will do
    stop();
  };
  worker.postMessage(job);
  return { finished, stop };
}

/** Whether the worker's module may be loaded: never worth asking the user for a permission. */
function mayLoad(url: URL): boolean {
  if (Deno.build.standalone) return true; // it is packed into the executable
  const { protocol, hostname, port } = url;
  const permission: Deno.PermissionDescriptor = protocol === "file:"
    ? { name: "read", path: url }
    // As the runtime's own list of trusted hosts has it, which jsr.io is on: always with the port.
    : { name: "import", host: `${hostname}:${port || (protocol === "https:" ? 443 : 80)}` };
  return Deno.permissions.querySync(permission).state === "granted";
}
