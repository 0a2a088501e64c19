/**
 * Copies of this repository whose `@std/*` is the real one: without the `links` of deno.json, and
 * without a lock file that was written with them.
 *
 * @module
 */
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with deno.json. */
export const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** What deno.json says, as far as the tools care. */
export interface ProjectConfig {
  name: string;
  version: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
  links?: string[];
  publish: { include: string[] };
}

/** Not part of the project, or of no use in such a copy. */
const LEFT_OUT = new Set([".git", "deno.lock", "dist", "links", "node_modules", "coverage"]);

/** Reads deno.json. */
export async function readConfig(root: string = ROOT): Promise<ProjectConfig> {
  return JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
}

/** What a copy holds. */
export interface CopyOptions {
  /**
   * What to copy, from the root.
   *
   * @default {everything of the project}
   */
  include?: readonly string[];
  /**
   * The folders that stand in for packages, in place of the links of the original.
   *
   * @default {none}
   */
  links?: readonly string[];
}

/** Copies the project into a folder that is empty or not there yet. */
export async function copyProject(folder: string, options: CopyOptions = {}): Promise<void> {
  const { include = ["."], links = [] } = options;
  const to = resolve(folder);
  const inside = relative(ROOT, to);
  if (!inside.startsWith("..") && !isAbsolute(inside)) { // absolute: on another drive
    throw new Error(`Cannot copy into ${folder}: it is in ${ROOT}, which is copied`);
  }
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(to)) {
    throw new Error(`Cannot copy into ${folder}: it is not empty, "${name}" is there`);
  }
  for (const path of include) await copyTree(join(ROOT, path), join(to, path));
  const config = await readConfig();
  delete config.links;
  if (links.length > 0) config.links = [...links];
  await Deno.writeTextFile(join(to, "deno.json"), JSON.stringify(config, null, 2) + "\n");
}

/** The folders that stand in for `@std/*` in this repository. */
export async function linkedFolders(): Promise<string[]> {
  return ((await readConfig()).links ?? []).map((link) => resolve(ROOT, link));
}

async function copyTree(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(dirname(to), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  for await (const { name } of Deno.readDir(from)) {
    if (!LEFT_OUT.has(name)) await copyTree(join(from, name), join(to, name));
  }
}
