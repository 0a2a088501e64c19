/**
 * Copies the project into a folder where `@std/*` comes from its own registry, as it does for those
 * who use the package. What is released is tested, compiled and published there.
 *
 *     deno run -A tools/without_links.ts ../released && cd ../released && deno task test
 */
import { copyProject } from "./copy_project.ts";
import { operand, section } from "../terminal/arguments.ts";
import { defineProgram, runProgram, UsageError } from "../terminal/program.ts";
import { folder } from "../terminal/values.ts";

await runProgram(defineProgram({
  name: "without_links.ts",
  summary: 'Copies the project into FOLDER, with deno.json as it is without "links".',
  usage: ["FOLDER"],
  fields: section("Arguments", {
    target: operand(folder("FOLDER"), "empty or not there yet, and outside of the repository"),
  }),
  notes: "What Deno needs is then fetched from its registries, the standard library from JSR.",
  examples: ["deno run -A tools/without_links.ts ../released && cd ../released && deno task test"],
  async main({ target }) {
    if (target === undefined) throw new UsageError("Name one folder to copy into");
    await copyProject(target);
  },
}));
