/**
 * Rehearses `deno publish` on a copy of what would be published.
 *
 * Publishing refuses linked packages inside the published folder, so the copy's links point back to
 * this repository. What is checked is what a user would get: slow types, missing files, stray ones.
 *
 *     deno run -A tools/publish_dry_run.ts
 */
import { join, resolve } from "node:path";

const root = resolve(new URL("..", import.meta.url).pathname);
const config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
const copy = await Deno.makeTempDir({ prefix: "tincan_publish_" });
try {
  for (const path of config.publish.include) await copyTree(join(root, path), join(copy, path));
  config.links = config.links.map((link: string) => join(root, link));
  await Deno.writeTextFile(join(copy, "deno.json"), JSON.stringify(config, null, 2));
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-lock"],
    cwd: copy,
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(copy, { recursive: true });
}

async function copyTree(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) {
    await Deno.mkdir(resolve(to, ".."), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  for await (const entry of Deno.readDir(from)) {
    await copyTree(join(from, entry.name), join(to, entry.name));
  }
}
