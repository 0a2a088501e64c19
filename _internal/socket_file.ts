/**
 * The files of unix sockets.
 *
 * @module
 */

/** Which file is at `path`; `undefined` if that cannot be found out. */
export function identifyFile(path: string): string | undefined {
  try {
    const { dev, ino, birthtime, mtime } = Deno.lstatSync(path);
    // A successor's file often gets the number that was freed with the old one.
    return `${dev}:${ino}:${(birthtime ?? mtime)?.getTime()}`;
  } catch {
    return undefined;
  }
}
