/**
 * Tries whether a compiled `tincan` works on this machine: it starts, knows its version, and talks.
 *
 *     deno run -A tools/try_executable.ts dist/tincan
 */
import { resolve } from "node:path";
import { readConfig } from "./copy_project.ts";
import { echoHandler } from "../apps/echo.ts";
import { operands, section } from "../terminal/arguments.ts";
import { defineProgram, printData, runProgram, UsageError } from "../terminal/program.ts";
import { file } from "../terminal/values.ts";
import { serveTcp } from "../tcp/mod.ts";

/** What it is given to carry. */
const LINE = "h\u00e9llo\n";
/** How long each of the trials may take, in milliseconds. */
const PATIENCE = 60_000;

await runProgram(defineProgram({
  name: "try_executable.ts",
  summary: "Tries whether a compiled tincan works on this machine.",
  usage: ["COMMAND [ARGUMENT…]"],
  fields: section("Arguments", {
    command: operands(file("COMMAND"), "the executable, and what stands before its arguments"),
  }),
  notes: "It must name the version in deno.json, and carry a line to a server and back.",
  examples: ["deno run -A tools/try_executable.ts dist/tincan"],
  main: tryExecutable,
}));

async function tryExecutable({ command: given }: { command: readonly string[] }): Promise<void> {
  const [named, ...first] = given;
  if (named === undefined) throw new UsageError("Name the executable");
  const command = executable(named);
  const attempt = (args: string[], input: string) => run(command, [...first, ...args], input);

  const { version } = await readConfig();
  const said = await attempt(["--version"], "");
  if (!said.includes(version)) {
    throw new Error(`${command} --version says "${said.trim()}", but deno.json says "${version}"`);
  }
  await using server = serveTcp({ port: 0, onListen() {} }, echoHandler({ upper: true }));
  const { port } = server.addr;
  const reply = await attempt(["connect", "127.0.0.1", `${port}`], LINE);
  if (reply !== LINE.toUpperCase()) throw new Error(`${command} connect has brought "${reply}"`);
  await printData(`${command} works: version ${version}\n`);
}

/** A path is one from here, and on Windows it may go without its ending. */
function executable(named: string): string {
  if (!/[/\\]/.test(named)) return named;
  const ending = Deno.build.os === "windows" && !named.endsWith(".exe") ? ".exe" : "";
  return resolve(named + ending);
}

/** Runs a command to its end and gives what it wrote to its output. */
async function run(command: string, args: string[], input: string): Promise<string> {
  const child = new Deno.Command(command, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(PATIENCE),
  }).spawn();
  const writer = child.stdin.getWriter();
  const fed = writer.write(new TextEncoder().encode(input)).then(() => writer.close())
    .catch(() => {}); // it may end without reading
  const [{ code, stdout }] = await Promise.all([child.output(), fed]);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} has failed with code ${code}`);
  return new TextDecoder().decode(stdout);
}
