/**
 * The program of a helping isolate. Inside a worker of the right name it works on the job it is sent;
 * imported anywhere else it does nothing. The module that starts the worker imports it so that
 * `deno compile` packs it.
 *
 * @module
 */
import type { OpenPort, ScanJob } from "./_job.ts";
import { Prober } from "./_prober.ts";

/** The name of workers that run this module as their program. */
export const WORKER_NAME = "tincan-scan";

/** What a worker says: an open port, or that nothing is left to do. */
export type FromWorker = { open: OpenPort } | { finished: true };

/** The global object of a worker, as far as it is needed here. */
interface WorkerScope {
  readonly name?: string;
  onmessage: ((event: MessageEvent<ScanJob>) => void) | null;
  postMessage(message: FromWorker): void;
}

const scope = globalThis as unknown as WorkerScope;
if (scope.name === WORKER_NAME && typeof scope.postMessage === "function") {
  scope.onmessage = ({ data: job }) => work(job);
}

async function work(job: ScanJob): Promise<void> {
  // What it fails at, the isolate that started it meets too and reports: here it only ends.
  await new Prober(job, (open) => scope.postMessage({ open })).run().catch(() => {});
  scope.postMessage({ finished: true });
}
