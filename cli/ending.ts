/** How a program that reads the input ends: it may still wait for a line that no one wants. @module */
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
