/**
 * Builds executables with `deno compile`, each with the least permissions it needs, and their
 * checksums beside them.
 *
 *     deno task compile                   # tincan, for this platform
 *     deno task compile tcp_echo relay    # some of the examples
 *     deno task compile --all             # tincan, for every platform
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CHECKSUM_FILE, updateChecksums } from "./checksums.ts";
import { DEFAULT_PROGRAM, type Program, PROGRAMS, runtimeFlags } from "./programs.ts";
import { executableName, RELEASED_TARGETS, TARGETS } from "./targets.ts";
import {
  type Fields,
  operands,
  section,
  setting,
  settings,
  toggle,
  UsageError,
} from "../terminal/arguments.ts";
import { defineProgram, printData, runProgram, type Values } from "../terminal/program.ts";
import { folder, oneOf } from "../terminal/values.ts";

/** What `deno compile` says first when it cannot download the base runtime. */
const NO_BASE = "Setting up base binary.";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

const fields = {
  ...section("Arguments", {
    names: operands(
      oneOf([...PROGRAMS.keys()], "NAME"),
      `programs of --list (default: ${DEFAULT_PROGRAM})`,
    ),
  }),
  ...section("Options", {
    all: toggle(
      "--all",
      "build for every platform of a release; the name of the platform is added to the name of the file",
    ),
    target: settings(
      "--target",
      oneOf(TARGETS, "NAME"),
      "build for this platform; may be given several times",
    ),
    output: setting(
      "--output",
      folder("FOLDER"),
      `where they go (default: dist); ${CHECKSUM_FILE} is kept up to date there`,
    ),
    list: toggle("--list", "show the programs with their permissions, and the platforms"),
  }),
} satisfies Fields;

await runProgram(defineProgram({
  name: "deno task compile",
  summary: "Builds executables: one file each, that needs nothing else.",
  usage: ["[NAME…] [options]"],
  fields,
  notes: `Each executable may do what --list says and nothing else, and never asks for more.
Deno downloads a base runtime for each platform when it is first needed. Where it
cannot, set DENORT_BIN to that runtime (denort, from the same release of Deno).
Paths of what was built go to the output.`,
  exitCodes: "0 built; 1 failed; 2 wrong usage",
  examples: [
    "$0 && dist/tincan --help",
    "$0 tcp_echo udp_echo --target x86_64-pc-windows-msvc",
    `$0 --all && (cd dist && sha256sum --check ${CHECKSUM_FILE})`,
  ],
  main: build,
}));

async function build(values: Values<typeof fields>): Promise<void> {
  if (values.list) return await printData(list());
  const programs = chosenPrograms(values.names);
  const targets = chosenTargets(values);
  const folder = resolve(values.output ?? `${ROOT}dist`);
  await Deno.mkdir(folder, { recursive: true });
  for (const target of targets) {
    for (const [name, program] of programs) {
      const file = executableName(name, target);
      console.error(`building ${file}`);
      await compile(program, { target, output: `${folder}/${file}` });
      await updateChecksums(folder, [file]);
      await printData(`${folder}/${file}\n`);
    }
  }
}

function chosenPrograms(given: readonly string[]): [string, Program][] {
  const names = given.length > 0 ? new Set(given) : [DEFAULT_PROGRAM];
  return [...names].map((name) => [name, PROGRAMS.get(name) as Program]);
}

/** `undefined` is this platform, without its name in that of the file. */
function chosenTargets({ all, target }: Values<typeof fields>): (string | undefined)[] {
  const named = [...new Set(target)];
  if (all && named.length > 0) {
    throw new UsageError("Options --all and --target exclude each other");
  }
  const targets = all ? [...RELEASED_TARGETS] : named;
  if (targets.length > 1 && Deno.env.has("DENORT_BIN")) {
    throw new UsageError(
      `Cannot build for ${targets.length} platforms from one base runtime: DENORT_BIN is ` +
        `"${Deno.env.get("DENORT_BIN")}"; unset it, or name one --target`,
    );
  }
  return targets.length > 0 ? targets : [undefined];
}

/** What `deno compile` is asked for. */
interface CompileOptions {
  /** The platform; `undefined` is this one. */
  target: string | undefined;
  output: string;
}

async function compile(program: Program, { target, output }: CompileOptions): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--no-check", // `deno task ok` has checked the types
      "--exclude-unused-npm", // or it packs what the tests and benchmarks use, too
      ...runtimeFlags(program),
      ...(target === undefined ? [] : ["--target", target]),
      ...["--output", output],
      program.entry,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const said = new TextDecoder().decode(stderr).split("Stack backtrace:")[0]?.trim() ?? "";
  const where = target ?? Deno.build.target;
  const causes = [...said.matchAll(/^ +\d+: (.*)$/gm)].map(([, cause = ""]) => cause);
  const cause = causes.find((cause) => cause !== NO_BASE);
  if (cause === undefined) {
    console.error(said);
    throw new Error(`Cannot build ${output} for ${where}: deno compile failed, see above`);
  }
  if (!causes.includes(NO_BASE)) {
    throw new Error(`Cannot build ${output} for ${where}: ${causes.join(": ")}`);
  }
  throw new Error(
    `Cannot get the base runtime for ${where}, set DENORT_BIN to a copy of it: ${cause}`,
  );
}

function list(): string {
  const rows: [string, string, string][] = [["program", "permission", "for"]];
  for (const [name, { permissions }] of PROGRAMS) {
    permissions.forEach(({ flag, why }, at) => rows.push([at === 0 ? name : "", flag, why]));
  }
  const lines = rows.map(([name, flag, why]) =>
    `${name.padEnd(16)}${flag.padEnd(25)}${why.replaceAll("`", "")}`
  );
  const platforms = TARGETS.map((name) =>
    RELEASED_TARGETS.includes(name) ? name : `${name} (with --target only)`
  );
  return [...lines, "", "platforms", ...platforms, ""].join("\n");
}
