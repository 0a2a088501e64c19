/**
 * Builds executables into dist/ with `deno compile`, each with the least permissions it needs.
 *
 *     deno task compile              # all programs, for this platform
 *     deno task compile tcp_echo     # one of them
 *
 * `deno compile` downloads a base executable on its first run. Where that cannot be reached, set
 * DENORT_BIN to a copy of it.
 */

/** The programs and the permissions that are baked in. */
const PROGRAMS = new Map([
  ["file_transfer", ["--allow-net", "--allow-read", "--allow-write"]],
  ["http_get", ["--allow-net", "--allow-read", "--allow-write"]],
  ["port_scan", ["--allow-net"]],
  ["relay", ["--allow-net", "--allow-read", "--allow-write"]], // captures
  ["tcp_chat", ["--allow-net"]],
  ["tcp_echo", ["--allow-net"]],
  ["udp_chat", ["--allow-net", "--allow-read"]],
  ["udp_echo", ["--allow-net"]],
]);

const names = Deno.args.length > 0 ? Deno.args : [...PROGRAMS.keys()];
for (const name of names) {
  const permissions = PROGRAMS.get(name);
  if (permissions === undefined) {
    console.error(`Unknown program "${name}": expected ${[...PROGRAMS.keys()].join(", ")}`);
    Deno.exit(2);
  }
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--unstable-net",
      ...permissions,
      "--output",
      `dist/${name}`,
      `examples/${name}.ts`,
    ],
  }).spawn().status;
  if (!success) Deno.exit(1);
}
