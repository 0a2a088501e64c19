/** How a program that reads the input ends: it may still wait for a line that nobody wants. @module */
import { onInterrupt } from "../apps/program.ts";
import type { Watch } from "./watch.ts";

/**
 * Ends the process when everything was written.
 *
 * @param code The exit code.
 * @param watch What may still have something to write.
 */
export async function end(code: number, watch: Watch | undefined): Promise<never> {
  await watch?.flush();
  Deno.exit(code);
}

/**
 * Ends the process on Ctrl-C and SIGTERM, at once the second time.
 *
 * @param finish What is to be done before.
 * @param code The exit code, asked for when it happens.
 * @returns Whether it has happened: then nobody else should end the process.
 */
export function endOnInterrupt(finish: () => Promise<unknown>, code: () => number): () => boolean {
  let isInterrupted = false;
  onInterrupt(() => {
    const result = code();
    if (isInterrupted) Deno.exit(result);
    isInterrupted = true;
    finish().finally(() => Deno.exit(result));
  });
  return () => isInterrupted;
}
