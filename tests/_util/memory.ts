/** How much memory is held, for tests that bound it. @module */

/** The collector, which the project's test task lays open. */
export const { gc } = globalThis as { gc?: () => void };

/** Bytes that are held, garbage not counted where the collector can be called. */
export function heldMemory(): number {
  gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/**
 * How many bytes more than `before` are held. The memory of buffers is given back by a thread
 * beside the collector, which on a busy machine comes late: looks again until it is below
 * `enough`, and ends after 100 turns with what is really held.
 */
export async function grownSince(before: number, enough: number): Promise<number> {
  let grown = heldMemory() - before;
  for (let turn = 0; grown >= enough && turn < 100; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    grown = heldMemory() - before;
  }
  return grown;
}
