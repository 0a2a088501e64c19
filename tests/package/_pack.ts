/**
 * The package as its users get it: what `deno publish` says that it ships, copied into a folder.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { copyProject, linkedFolders, readConfig } from "../../tools/copy_project.ts";

/** The package in a folder of its own, which disposing removes. */
export interface Packed extends AsyncDisposable {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  /** The files that ship, by their paths in the package. */
  readonly files: readonly string[];
  /** What the rehearsal of the publication printed. */
  readonly output: string;
}

/** Rehearses the publication. */
export async function pack(): Promise<Packed> {
  const { name, version, exports, publish } = await readConfig();
  const folder = await Deno.makeTempDir({ prefix: "tincan_pack_" });
  await copyProject(folder, { include: publish.include, links: await linkedFolders() });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-lock"],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`The rehearsal of the publication failed: ${output}`);
  const prefix = pathToFileURL(await Deno.realPath(folder)).href + "/";
  const files = [...output.matchAll(/^\s*(file:\S+) \([^)]*\)$/gm)].map(([, url = ""]) => {
    if (!url.startsWith(prefix)) throw new Error(`${url} is not in ${prefix}`);
    return decodeURI(url.slice(prefix.length));
  });
  return {
    ...{ folder, name, version, exports, output, files: files.sort() },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The contents of a file of the package. */
export function readPacked({ folder }: Packed, path: string): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(join(folder, path));
}
