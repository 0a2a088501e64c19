/**
 * The platforms that Deno compiles for.
 *
 * @module
 */

/** Their names, as `deno compile --target` takes them. */
export const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** `tincan`, or `tincan-aarch64-apple-darwin` where several platforms stand side by side. */
export function executableName(program: string, target?: string): string {
  const name = target === undefined ? program : `${program}-${target}`;
  return (target ?? Deno.build.target).includes("windows") ? `${name}.exe` : name;
}
