/**
 * Files that are compressed themselves. Many servers label such a file with a `Content-Encoding`, as if
 * it had been compressed for the transfer; unpacked under its own name it would be broken.
 *
 * @module
 */
import type { HttpHead } from "./head.ts";

/** The endings of names, and the codings that servers label them with. */
const ENDINGS: readonly [RegExp, readonly string[]][] = [
  [/\.(?:t?gz|gzip|taz|svgz|emz|wmz)$/i, ["gzip", "x-gzip"]],
  [/\.(?:Z|taZ)$/, ["compress", "x-compress"]],
  [/\.(?:bz2|tbz2?)$/i, ["bzip2", "x-bzip2"]],
  [/\.t?xz$/i, ["xz", "x-xz"]],
  [/\.t?zst$/i, ["zstd"]],
  [/\.br$/i, ["br"]],
];

/** Media types that say the same of a file without such a name. */
const GZIP_TYPES = /^application\/(?:(?:x-)?gzip|x-gunzip|(?:x-)?tgz|x-compressed-tar)\s*(?:;|$)/i;

/** The codings that a file of this name has by itself. */
export function packedCodings(name: string): readonly string[] {
  return ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? [];
}

/**
 * Whether the last coding of a body is that of the file itself: its address, the name the server
 * suggests, or its media type says that it is compressed in that way.
 *
 * @param url Where it is.
 * @param head What was answered.
 */
export function isPackedFile(url: string, { headers }: HttpHead): boolean {
  const coding = headers.get("content-encoding")?.split(",").at(-1)?.trim().toLowerCase() ?? "";
  if (coding === "") return false;
  const suggested = /;\s*filename\*?\s*=\s*"?([^";]+)/i.exec(
    headers.get("content-disposition") ?? "",
  )?.[1]?.trim() ?? "";
  const names = [new URL(url).pathname, suggested];
  if (names.some((name) => packedCodings(name).includes(coding))) return true;
  const isGzip = coding === "gzip" || coding === "x-gzip";
  return isGzip && GZIP_TYPES.test(headers.get("content-type") ?? "");
}
