/**
 * The platforms that Deno compiles for.
 *
 * @module
 */

/** The platforms of a release, as `deno compile --target` calls them. */
export const RELEASED_TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** All that Deno compiles for. Those beyond a release are built on request, and tried by nobody yet. */
export const TARGETS: readonly string[] = [...RELEASED_TARGETS, "aarch64-pc-windows-msvc"];

/** `tincan`, or `tincan-aarch64-apple-darwin` where several platforms stand side by side. */
export function executableName(program: string, target?: string): string {
  const name = target === undefined ? program : `${program}-${target}`;
  return (target ?? Deno.build.target).includes("windows") ? `${name}.exe` : name;
}
