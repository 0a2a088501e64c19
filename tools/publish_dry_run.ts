/**
 * Rehearses `deno publish` on a copy of what would be published.
 *
 * Publishing refuses linked packages inside the published folder, so the copy's links point back to
 * this repository. What is checked is what a user would get: slow types, missing files, stray ones.
 *
 *     deno run -A tools/publish_dry_run.ts
 */
import { copyProject, linkedFolders, readConfig } from "./copy_project.ts";

const { publish } = await readConfig();
const folder = await Deno.makeTempDir({ prefix: "tincan_publish_" });
try {
  await copyProject(folder, { include: publish.include, links: await linkedFolders() });
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-lock"],
    cwd: folder,
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(folder, { recursive: true });
}
