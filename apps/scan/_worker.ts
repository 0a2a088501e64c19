/**
 * A second isolate for a scan, where there may be one: how it is started, and its program. Inside a worker
 * of the right name this module works on the job it is sent.
 *
 * @module
 */
import type { OpenPort, ScanJob } from "./_job.ts";
import { Prober } from "./_prober.ts";

/** The name of workers that run this module as their program. */
const WORKER_NAME = "tincan-scan";

/** What a worker reports: an open port, or `null` when nothing is left to do. */
type Report = OpenPort | null;

/** A worker that works on a job. */
interface Helper {
  /** Resolves when it has done its part or has failed; it never rejects. */
  readonly finished: Promise<void>;
  /** Ends it at once. */
  stop(): void;
}

/** Starts a worker on a job; `undefined` where that is not permitted or not possible. */
export function startHelper(job: ScanJob, onOpen: (port: OpenPort) => void): Helper | undefined {
  const url = new URL(import.meta.url);
  if (!mayLoad(url)) return undefined;
  try {
    const worker = new Worker(url, { type: "module", name: WORKER_NAME });
    const { promise: finished, resolve } = Promise.withResolvers<void>();
    const stop = () => {
      worker.terminate();
      resolve();
    };
    worker.onmessage = ({ data }: MessageEvent<Report>) => data === null ? stop() : onOpen(data);
    worker.onerror = (event) => {
      event.preventDefault(); // what it has not done, this isolate will do
      stop();
    };
    worker.postMessage(job);
    return { finished, stop };
  } catch {
    return undefined; // this isolate does it alone, in twice the time
  }
}

/** Whether the worker's module may be loaded: never worth asking the user for a permission. */
function mayLoad(url: URL): boolean {
  if (Deno.build.standalone) return true; // it is packed into the executable
  const { protocol, hostname, port } = url;
  const permission: Deno.PermissionDescriptor = protocol === "file:"
    ? { name: "read", path: url }
    // As in the runtime's own list of trusted hosts, which jsr.io is on: always with the port.
    : { name: "import", host: `${hostname}:${port || (protocol === "https:" ? 443 : 80)}` };
  return Deno.permissions.querySync(permission).state === "granted";
}

/** The global object of a worker, as far as it is needed here. */
interface WorkerScope {
  readonly name?: string;
  onmessage: ((event: MessageEvent<ScanJob>) => void) | null;
  postMessage(report: Report): void;
}

const scope = globalThis as unknown as WorkerScope;
if (scope.name === WORKER_NAME && typeof scope.postMessage === "function") {
  scope.onmessage = ({ data: job }) => work(job);
}

async function work(job: ScanJob): Promise<void> {
  // What fails here fails in the isolate that started this one, too, and is reported there.
  await new Prober(job, (open) => scope.postMessage(open)).run().catch(() => {});
  scope.postMessage(null);
}
