/** What `deno task test` says and does, with tests made for it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../../tools/copy_project.ts";

const limit = { timeout: 60_000 };

const PEERS = JSON.stringify(new URL("../_util/peers.ts", import.meta.url).href);

/** Tests of which one needs a peer, and one fails. */
const FILES: Readonly<Record<string, string>> = {
  "good_test.ts": `
import { testWith } from ${PEERS};
Deno.test("good", () => {});
testWith("python3", "nc")("with peers", () => {});`,
  "inside/bad_test.ts": `
Deno.test("bad", async (t) => {
  await t.step("step > of it", () => {});
  throw new Error("it is bad");
});`,
  "inside/not_a_test_file.ts": "throw new Error();",
};

/** How the task ended. */
interface Outcome {
  readonly code: number;
  readonly stdout: string;
}

/** Runs the task where there are no peers, with these paths in a folder of its own. */
async function task(
  { paths, options = [], isCi = false }: { paths: string[]; options?: string[]; isCi?: boolean },
): Promise<Outcome> {
  const folder = await Deno.makeTempDir({ prefix: "tincan_task_" });
  try {
    await Deno.mkdir(join(folder, "inside"));
    for (const [name, text] of Object.entries(FILES)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "tools/test.ts", ...paths.map((path) => join(folder, path)), ...options],
      cwd: ROOT,
      env: { PATH: folder, CI: isCi ? "1" : "", NO_COLOR: "1" },
      stderr: "null",
    }).output();
    return { code, stdout: new TextDecoder().decode(stdout) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the task runs the files that are named, and says what it left out", limit, async () => {
  const { code, stdout } = await task({ paths: ["good_test.ts"] });
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^ +[\d.]+ +1 {2}from beginning to end: 1 passed, 0 failed$/m);
  assertMatch(stdout, /^1 test was left out:\n +1 {2}no python3, nc\n\.ci\/peers installs /m);
});

Deno.test("the task fails with a test, and names it again at the end", limit, async () => {
  const { code, stdout } = await task({ paths: [""] });
  assertEquals(code, 1, stdout);
  assertMatch(stdout, /^ +[\d.]+ +1 {2}\S+\/inside\n/m); // a step is no test
  assertMatch(stdout, /1 passed, 1 failed\nfailed: bad => \S+inside\/bad_test\.ts$/m);
});

Deno.test("the task passes options on", limit, async () => {
  const { code, stdout } = await task({ paths: [""], options: ["--filter", "good"] });
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /end: 1 passed, 0 failed$/m);
});

Deno.test("on CI a missing peer is a failure", limit, async () => {
  const { code, stdout } = await task({ paths: ["good_test.ts"], isCi: true });
  assertEquals(code, 1, stdout);
  assertStringIncludes(stdout, "python3 and nc missing: on CI no test is left out");
});

Deno.test("the files that the task treats apart are there", async () => {
  const source = await Deno.readTextFile(join(ROOT, "tools/test.ts"));
  const names = [...source.matchAll(/^ {2}"(tests\/\S+)",$/gm)].map(([, name = ""]) => name);
  assert(names.length > 5);
  for (const name of names) await Deno.stat(join(ROOT, name));
});
