/** A clean clone of the project, in a folder of its own, with the programs that its pages name. */
import { hasPeer } from "../_util/peers.ts";
import { ROOT } from "./_page.ts";
import { World } from "./_world.ts";

/** What a program did. */
export interface Outcome {
  readonly code: number;
  /** Everything it printed, errors included. */
  readonly output: string;
}

/** How to start a program. */
export interface Command {
  readonly command: string;
  readonly args: string[];
}

/**
 * A clean clone: the files of this work tree that a commit would hold.
 *
 * Its programs find `deno`, `npx` and `tincan` on their path: the running Deno, an npx that gives just
 * that to who asks for `npx -y deno`, and what `deno task compile` makes, run from its source.
 */
export class Clone implements AsyncDisposable {
  /** Where it is. */
  readonly folder: string;
  readonly #scratch: string;
  readonly #world: World | null;

  private constructor(scratch: string, world: World | null) {
    this.#scratch = scratch;
    this.folder = `${scratch}/tincan`;
    this.#world = world;
  }

  /** Makes one; `isolated` gives it a network in which nobody else is. */
  static async make(isolated: boolean): Promise<Clone> {
    const scratch = await Deno.makeTempDir({ prefix: "tincan_clone_" });
    await copyWorkTree(`${scratch}/tincan`);
    await Deno.mkdir(`${scratch}/bin`);
    await Deno.mkdir(`${scratch}/tmp`);
    await Deno.symlink(Deno.execPath(), `${scratch}/bin/deno`);
    const scripts = {
      npx: '[ "$1 $2" = "-y deno" ] || exit 64\nshift 2\nexec deno "$@"\n',
      tincan: `exec deno run -A ${scratch}/tincan/cli/tincan.ts "$@"\n`,
    };
    for (const [name, script] of Object.entries(scripts)) {
      await Deno.writeTextFile(`${scratch}/bin/${name}`, `#!/bin/sh\n${script}`, { mode: 0o755 });
    }
    return new Clone(scratch, isolated ? await World.make(`${scratch}/world`) : null);
  }

  /** Writes a file into the clone; its folder is made if need be. */
  async write(name: string, text: string): Promise<void> {
    await Deno.mkdir(`${this.folder}/${name}`.replace(/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${this.folder}/${name}`, text);
  }

  /** How to run a program in the clone. */
  command(argv: readonly string[]): Command {
    const settings = [
      `PATH=${this.#scratch}/bin:${Deno.env.get("PATH")}`,
      `TMPDIR=${this.#scratch}/tmp`, // what an example leaves behind goes with the clone
      "NO_COLOR=1",
      ...this.#world === null ? [] : [`DENO_CERT=${this.#world.authority}`],
    ];
    const script = 'cd "$0" && exec env "$@"';
    const args = ["sh", "-c", script, this.folder, ...settings, ...argv];
    const [command = "", ...rest] = this.#world === null ? args : [...this.#world.enter, ...args];
    return { command, args: rest };
  }

  /** Runs a program in the clone to its end. */
  async run(argv: readonly string[]): Promise<Outcome> {
    const { command, args } = this.command(argv);
    const { code, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" })
      .output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world?.[Symbol.asyncDispose]();
    await Deno.remove(this.#scratch, { recursive: true });
  }
}

/** What is made from the project, in a folder that is no repository. */
const LEFT_OUT = new Set([".git", "coverage", "dist", "node_modules"]);

async function copyWorkTree(target: string): Promise<void> {
  for (const path of await listProject()) {
    await Deno.mkdir(`${target}/${path}`.replace(/[^/]*$/, ""), { recursive: true });
    try {
      await Deno.copyFile(new URL(path, ROOT), `${target}/${path}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // removed, and not committed yet
    }
  }
}

/** The files of the project, as git sees them; in a copy without a repository, all there are. */
async function listProject(): Promise<string[]> {
  if (!hasPeer("git")) return await listFolder("");
  const { code, stdout } = await new Deno.Command("git", {
    args: [
      // The repository may belong to somebody else than to who runs the tests.
      ...["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    ],
    cwd: ROOT,
    stderr: "null",
  }).output();
  if (code !== 0) return await listFolder("");
  return new TextDecoder().decode(stdout).split("\0").filter((path) => path !== "");
}

async function listFolder(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))) {
    if (LEFT_OUT.has(name)) continue;
    if (isDirectory) paths.push(...await listFolder(`${folder}${name}/`));
    else paths.push(folder + name);
  }
  return paths;
}
