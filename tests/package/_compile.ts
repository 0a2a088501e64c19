/**
 * Compiling with a stand-in for the base runtime. `deno compile` puts the program into a copy of
 * whatever executable `DENORT_BIN` names; everything is done but that the result does not start. So
 * what it holds can be looked at where the base runtime cannot be had.
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { ROOT } from "../../tools/copy_project.ts";

/** How the tool ended. */
export interface ToolOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs tools/compile.ts; `base` is the base runtime, `undefined` the one that Deno downloads. */
export async function compileTool(args: readonly string[], base?: string): Promise<ToolOutcome> {
  const env: Record<string, string> = { ...Deno.env.toObject(), NO_COLOR: "1" };
  if (base !== undefined) env.DENORT_BIN = base;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", join(ROOT, "tools/compile.ts"), ...args],
    env,
    clearEnv: true,
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What can stand in for the base runtime: any executable of this system, a small one if possible. */
export async function standIn(): Promise<string> {
  if (Deno.build.os !== "linux") return Deno.execPath();
  const small = "/bin/true";
  return await Deno.stat(small).then(() => small, () => Deno.execPath());
}

/** What an executable was told about its start. */
export interface EmbeddedStart {
  readonly entrypoint: string;
  readonly permissions: Readonly<Record<string, unknown>>;
  readonly unstable: readonly string[];
}

/** What `deno compile` has put into an executable. */
export class Embedded {
  readonly start: EmbeddedStart;
  /** A character for each byte: strings are searched many times as fast as buffers. */
  readonly #data: string;

  constructor(path: string) {
    const file = Buffer.from(Deno.readFileSync(path).buffer);
    const mark = Buffer.from("d3n0l4nd"); // then a length of 8 bytes, then what it is told as JSON
    let at = file.indexOf(mark);
    while (at >= 0 && file.toString("latin1", at + 16, at + 24) !== '{"argv":') {
      at = file.indexOf(mark, at + 1);
    }
    if (at < 0) throw new Error(`${path} has nothing embedded`);
    const length = Number(file.readBigUInt64LE(at + 8));
    const told = JSON.parse(file.toString("utf8", at + 16, at + 16 + length));
    this.start = {
      entrypoint: told["entrypoint_key"],
      permissions: told.permissions,
      unstable: told["unstable_config"].features,
    };
    this.#data = file.toString("latin1", at + 16 + length);
  }

  /** Whether a file of this name and with exactly these contents is in it. */
  holds(name: string, contents: Uint8Array): boolean {
    return this.names(name) && this.#data.includes(Buffer.from(contents).toString("latin1"));
  }

  /** Whether a file or folder of this name is in it. */
  names(name: string): boolean {
    return this.#data.includes(`"n":${JSON.stringify(name)}`);
  }
}

/** Whether executables can be made that start: `null`, or why not. */
export async function whyNoExecutables(): Promise<string | null> {
  const folder = await Deno.makeTempDir({ prefix: "tincan_base_" });
  try {
    const source = join(folder, "main.ts");
    const output = join(folder, Deno.build.os === "windows" ? "main.exe" : "main");
    await Deno.writeTextFile(source, 'console.log("started");\n');
    const compiled = await runQuietly(Deno.execPath(), ["compile", "--output", output, source]);
    if (compiled.code !== 0) {
      const [, cause] = /^ +1: (.*)$/m.exec(compiled.text) ?? [];
      return `the base runtime cannot be had: ${cause ?? compiled.text}`;
    }
    const { text } = await runQuietly(output, []);
    if (text !== "started\n") return "the base runtime in DENORT_BIN does not start programs";
    return null;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** How long the base runtime may take to be downloaded, in milliseconds. */
const PATIENCE = 120_000;

async function runQuietly(
  command: string,
  args: readonly string[],
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(PATIENCE),
  }).output();
  return { code, text: new TextDecoder().decode(code === 0 ? stdout : stderr) };
}
