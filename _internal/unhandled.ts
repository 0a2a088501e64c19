/**
 * Rejections that a program cannot be expected to catch: a handler starts a loop over its connection
 * and does not await it, the peer resets the connection, and the rejection is never handled. The
 * runtime would end the process: one peer could stop a server for all.
 *
 * Errors that a connection of a server makes are noted here with their server. A rejection with one of
 * them that no one handles is reported to that server, as if the handler had thrown it. All others are
 * left as they are: mistakes in the program end it.
 *
 * @module
 */

/** Receives an error that no one has handled. */
export type ReportUnhandled = (error: unknown) => void;

const reports = new WeakMap<object, ReportUnhandled>();
let listeners = 0;

/** Notes whose error this is. Without `report` it is like any other. */
export function noteError<T>(error: T, report: ReportUnhandled | undefined): T {
  if (report !== undefined && error instanceof Error) reports.set(error, report);
  return error;
}

/** Reports the errors that were noted and that no one handles, until a promise resolves. */
export function catchUnhandled(until: Promise<unknown>): void {
  if (listeners++ === 0) globalThis.addEventListener("unhandledrejection", onUnhandled);
  until.then(() => {
    if (--listeners === 0) globalThis.removeEventListener("unhandledrejection", onUnhandled);
  });
}

function onUnhandled(event: PromiseRejectionEvent): void {
  const { reason } = event;
  const report = typeof reason === "object" && reason !== null ? reports.get(reason) : undefined;
  if (report === undefined) return;
  event.preventDefault();
  report(reason);
}
