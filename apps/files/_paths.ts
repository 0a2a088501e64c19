/**
 * The little that is needed of paths of this system.
 *
 * @module
 */

const isWindows = Deno.build.os === "windows";

/** What stands between the parts of a path. */
export const SEPARATOR: string = isWindows ? "\\" : "/";

/** The path of `name` in `folder`. */
export function join(folder: string, name: string): string {
  if (folder === "") return name;
  return endsWithSeparator(folder) ? folder + name : folder + SEPARATOR + name;
}

/** The way from `folder` down to `path`, `null` if it does not go down. Both are real paths. */
export function relative(folder: string, path: string): string | null {
  if (path === folder) return "";
  const inside = endsWithSeparator(folder) ? folder : folder + SEPARATOR;
  return path.startsWith(inside) ? path.slice(inside.length) : null;
}

/** The folder and the name of a path. */
export function split(path: string): [string, string] {
  const at = isWindows
    ? Math.max(path.lastIndexOf("\\"), path.lastIndexOf("/"))
    : path.lastIndexOf("/");
  return at < 0 ? ["", path] : [path.slice(0, at + 1), path.slice(at + 1)];
}

function endsWithSeparator(path: string): boolean {
  return path.endsWith(SEPARATOR) || (isWindows && path.endsWith("/"));
}
