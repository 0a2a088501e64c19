/**
 * The permissions in tools/programs.ts are enough, each of them is needed, and the documents say the
 * same.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { serveChat } from "../../apps/chat/mod.ts";
import { serveFiles } from "../../apps/files/mod.ts";
import { ROOT } from "../../tools/copy_project.ts";
import { type Program, PROGRAMS, runtimeFlags } from "../../tools/programs.ts";
import { Terminal } from "../_util/terminal.ts";
import { portOf } from "../_util/transports.ts";
import { testWith } from "../_util/peers.ts";
import type { Launch } from "./_launch.ts";
import { doTasks, TASKS } from "./_tasks.ts";

const pythonTest = testWith("python3");

const limit = { timeout: 120_000 };

/** How to run a program from its source, perhaps without one of its permissions. */
function fromSource(program: Program, without?: string): Launch {
  const flags = runtimeFlags(program).filter((flag) => flag !== without);
  return [Deno.execPath(), "run", ...flags, join(ROOT, program.entry)];
}

for (const [name, program] of PROGRAMS) {
  Deno.test(`${name} works with the permissions it is given`, limit, async () => {
    assert((TASKS.get(name) ?? []).length > 0, `${name} has no tasks in _tasks.ts`);
    await doTasks(name, fromSource(program));
  });

  for (const { flag } of program.permissions) {
    Deno.test(`${name} cannot do without ${flag}`, limit, async () => {
      const [, kind = ""] = /^--allow-(\w+)/.exec(flag) ?? [];
      const attempt = () => doTasks(name, fromSource(program, flag));
      await assertRejects(attempt, Error, `equires ${kind} access`);
    });
  }
}

pythonTest("line editing and progress bars at a terminal need no more", limit, async () => {
  const start = (name: string, args: string[]) => {
    const [command, ...first] = fromSource(PROGRAMS.get(name) as Program);
    return new Terminal(command, [...first, ...args]);
  };
  await using room = serveChat({ port: 0, onListen() {} });
  await using ada = start("tcp_chat", ["join", "--name", "Ada", "--port", `${portOf(room)}`]);
  await ada.until((rows) => rows.at(-1)?.startsWith("Ada>") === true);
  await ada.type("\x04");
  assertEquals(await ada.end(), { code: 0, restored: true });

  const folder = await Deno.makeTempDir({ prefix: "tincan_permissions_" });
  await Deno.writeFile(join(folder, "file"), new Uint8Array(100_000));
  await using server = await serveFiles(folder, { port: 0, onListen() {} });
  const output = join(folder, "copy");
  const args = ["get", "file", "--output", output, "--port", `${portOf(server)}`];
  await using get = start("file_transfer", args);
  assertEquals(await get.end(), { code: 0, restored: true });
  assertEquals((await Deno.stat(output)).size, 100_000);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("docs/running-it-for-real.md has the same table", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs/running-it-for-real.md"));
  const [, section = ""] = page.split("\n### Executables\n");
  const rows = [...section.split("\n## ")[0]?.matchAll(/^\|(.*)\|(.*)\|(.*)\|$/gm) ?? []]
    .slice(2) // the head and the line below it
    .map((cells) => cells.slice(1).map((cell) => cell.trim()));
  const expected = [...PROGRAMS].flatMap(([name, { permissions }]) =>
    permissions.map(({ flag, why }, at) => [at === 0 ? `\`${name}\`` : "", `\`${flag}\``, why])
  );
  assertEquals(rows, expected);
});
