/**
 * How programs end when a person presses Ctrl-C or the system asks them to.
 *
 * @module
 */
import { printNote } from "./output.ts";

/** How long clients may take to end their side when a server is interrupted, in milliseconds. */
const GOODBYE_TIME = 1_000;
/** How much longer handlers may take to notice that their connection was aborted. */
const HANDLER_TIME = 250;
/** An end that takes less than this, in milliseconds, is not announced. */
const QUIET_TIME = 200;
/** The exit code of interrupted work: that of a process that SIGINT has killed, in a shell. */
const INTERRUPTED = 130;

/** Calls `interrupt` when the user or the system asks the program to end. */
export function onInterrupt(interrupt: () => void): void {
  Deno.addSignalListener("SIGINT", interrupt);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", interrupt);
}

/**
 * Makes a signal that aborts on Ctrl-C and SIGTERM. The second time the process ends at once, with the
 * exit code 130; the first time that is up to the program.
 *
 * @param within Milliseconds after which the process ends in any case: what the work waits for may never
 * come, such as a pager that reads the output.
 */
export function abortOnInterrupt(within = Infinity): AbortSignal {
  const controller = new AbortController();
  onInterrupt(() => {
    if (controller.signal.aborted) Deno.exit(INTERRUPTED);
    if (within < Infinity) Deno.unrefTimer(setTimeout(() => Deno.exit(INTERRUPTED), within));
    controller.abort();
  });
  return controller.signal;
}

/** How a program ends when it is interrupted. */
export interface EndOnInterruptOptions {
  /** What is to be done before. If it takes longer than a moment, a line on stderr says so. */
  finish: () => Promise<unknown>;
  /**
   * What it waits for meanwhile, such as `2 connections`.
   *
   * @default {() => "what is under way"}
   */
  waitsFor?: (() => string) | undefined;
  /**
   * The exit code, asked for when it happens.
   *
   * @default {() => 130}
   */
  code?: (() => number) | undefined;
}

/**
 * Ends the process on Ctrl-C and SIGTERM. The second time it ends at once, with the exit code 130.
 *
 * @param options What is done before, and with which exit code it ends.
 * @returns Whether it has happened: then nothing else should end the process.
 */
export function endOnInterrupt(options: EndOnInterruptOptions): () => boolean {
  const { finish, waitsFor = () => "what is under way", code = () => INTERRUPTED } = options;
  let isInterrupted = false;
  onInterrupt(() => {
    if (isInterrupted) Deno.exit(INTERRUPTED);
    isInterrupted = true;
    const result = code();
    setTimeout(() => {
      printNote(`ending: waiting for ${waitsFor()}; Ctrl-C again ends at once`);
    }, QUIET_TIME);
    finish()
      .catch((error) => printNote(error instanceof Error ? error.message : String(error)))
      .finally(() => Deno.exit(result));
  });
  return () => isInterrupted;
}

/** What can be served until an interrupt: a server of any kind. */
export interface Served {
  readonly finished: Promise<void>;
  readonly connections?: ReadonlySet<{ close(): unknown }> | undefined;
  shutdown(options: { timeout: number }): Promise<void>;
}

/**
 * Starts a server and lets it run until the program is asked to end; then ends its connections and
 * exits. An interrupt that comes while the server is starting is not lost.
 *
 * @param start Makes the server.
 * @param finish What remains to be done before the exit.
 */
export async function serveUntilInterrupted(
  start: () => Served | Promise<Served>,
  finish?: () => Promise<void>,
): Promise<void> {
  const { promise: started, resolve } = Promise.withResolvers<Served>();
  let server: Served | undefined = undefined;
  endOnInterrupt({
    async finish() {
      await endServer(await started);
      await finish?.();
    },
    waitsFor: () => waitsFor(server),
    code: () => 0, // this is how a server ends
  });
  server = await start();
  resolve(server);
  await server.finished;
}

/**
 * Ends a server: accepts no more, ends each connection after what was written has left, and waits for
 * the clients to end, too, for {@linkcode GOODBYE_TIME} at most. A handler that never ends
 * does not delay it.
 */
export async function endServer(server: Served): Promise<void> {
  const stopped = server.shutdown({ timeout: GOODBYE_TIME });
  for (const conn of server.connections ?? []) conn.close();
  const late = new Promise<void>((resolve) => {
    setTimeout(resolve, GOODBYE_TIME + HANDLER_TIME);
  });
  await Promise.race([stopped, late]);
}

/** What the end of a server waits for. */
export function waitsFor(server: Served | undefined): string {
  const count = server?.connections?.size ?? 0;
  if (count === 0) return "its last answers";
  return count === 1 ? "one connection to end" : `${count} connections to end`;
}
