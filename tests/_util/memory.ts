/** How much memory is held once everything that can be collected is. Needs `--expose-gc`. */
export async function heldMemory(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error("run with --v8-flags=--expose-gc");
  let held = Infinity;
  // The collector's helper threads may still be at it: until it finds nothing more.
  for (let i = 0; i < 10; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 0));
    const { heapUsed, external } = Deno.memoryUsage();
    if (heapUsed + external >= held) break;
    held = heapUsed + external;
  }
  return held;
}
