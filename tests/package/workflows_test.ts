/**
 * The workflows cannot run here. What can be held is: they parse, they may do no more than they must,
 * and what they name is there.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "../../tools/copy_project.ts";
import { executableName, RELEASED_TARGETS } from "../../tools/targets.ts";
import { graphOf } from "./_graph.ts";

const FOLDER = join(ROOT, ".github/workflows");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
}

interface Job {
  readonly uses?: string;
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: {
    readonly matrix: { readonly os?: string[]; readonly include?: { executable: string }[] };
  };
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, { readonly tags?: string[] } | null>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

async function read(name: string): Promise<Workflow> {
  return parse(await Deno.readTextFile(join(FOLDER, name)), { strict: true, uniqueKeys: true });
}

const ci = await read("ci.yml");
const release = await read("release.yml");
const config: { tasks: Record<string, { command: string }>; version: string } = JSON.parse(
  await Deno.readTextFile(join(ROOT, "deno.json")),
);

/** Every step of both workflows, with the name of its job. */
function steps(): [string, Step][] {
  return [ci, release].flatMap(({ jobs }) =>
    Object.entries(jobs).flatMap(([name, job]) =>
      (job.steps ?? []).map((step): [string, Step] => [name, step])
    )
  );
}

Deno.test("these are all the workflows", async () => {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) names.push(name);
  assertEquals(names.sort(), ["ci.yml", "release.yml"]);
});

Deno.test("the workflows may read the code, and single jobs what they must", () => {
  assertEquals([ci.permissions, release.permissions], [{ contents: "read" }, { contents: "read" }]);
  const more = [ci, release].flatMap(({ jobs }) =>
    Object.entries(jobs).flatMap(([name, { permissions }]) =>
      permissions ? [[name, permissions]] : []
    )
  );
  assertEquals(more, [
    ["executables", { contents: "read", "id-token": "write", attestations: "write" }],
    ["publish", { contents: "read", "id-token": "write" }],
    ["release", { contents: "write" }],
  ]);
});

Deno.test("every action is pinned, every job ends, no script has foreign text pasted in", () => {
  for (const { jobs } of [ci, release]) {
    for (const [name, job] of Object.entries(jobs)) {
      if (job.uses === undefined) assert(job["timeout-minutes"], `${name} may run for ever`);
    }
  }
  for (const [name, { uses, run, with: inputs }] of steps()) {
    if (uses !== undefined) assertMatch(uses, /^[\w-]+\/[\w-]+@(?:v\d+|[\da-f]{40})$/, name);
    if (run !== undefined) assert(!run.includes("${{"), `${name} runs ${run}`);
    if (uses?.startsWith("actions/checkout@")) assertEquals(inputs?.["persist-credentials"], false);
  }
});

Deno.test("what the workflows name is there", async () => {
  let named = 0;
  for (const [job, { run = "" }] of steps()) {
    for (const [, task = ""] of run.matchAll(/\bdeno task ([\w:-]+)/g)) {
      assert(task in config.tasks, `${job} runs the task ${task}`);
      named++;
    }
    for (const [path] of run.matchAll(/(?:tools|\.ci)\/[\w.]+/g)) {
      assert((await Deno.stat(join(ROOT, path))).isFile, `${job} runs ${path}`);
      named++;
    }
  }
  assert(named >= 10, `only ${named} names were found`);
  for (const [name, { needs, uses }] of Object.entries(release.jobs)) {
    if (needs !== undefined) assert(needs in release.jobs, `${name} needs ${needs}`);
    if (uses !== undefined) assertEquals(uses, "./.github/workflows/ci.yml");
  }
  assert("workflow_call" in ci.on);
});

Deno.test("nothing is published before everything was tested and every executable was tried", () => {
  const order: string[] = [];
  for (let job: string | undefined = "release"; job !== undefined;) {
    order.unshift(job);
    job = release.jobs[job]?.needs;
  }
  assertEquals(order, ["notes", "test", "executables", "try", "publish", "release"]);
  assertEquals(release.on.push?.tags, ["v[0-9]*"]);
  const tried = release.jobs.try?.strategy?.matrix.include?.map(({ executable }) => executable);
  assertEquals(tried, RELEASED_TARGETS.map((target) => executableName("tincan", target)));
});

Deno.test("tests run on three systems, with one version of Deno that README allows", async () => {
  const systems = ci.jobs.portable?.strategy?.matrix.os ?? [];
  assertEquals(systems.map((os) => os.split("-")[0]), ["ubuntu", "macos", "windows"]);
  assertEquals(ci.env, release.env);
  for (const [job, { uses = "", with: inputs }] of steps()) {
    if (!uses.startsWith("denoland/setup-deno@")) continue;
    assertEquals(inputs?.["deno-version"], "${{ env.DENO_VERSION }}", job);
  }
  const readme = await Deno.readTextFile(join(ROOT, "README.md"));
  const [, least = ""] = /^Deno (\d+\.\d+\.\d+) or later/m.exec(readme) ?? [];
  assertMatch(least, /^\d/, "README.md does not say which Deno is needed");
  const [used, needed] = [ci.env.DENO_VERSION?.slice(1) ?? "", least].map((version) =>
    version.split(".").reduce((sum, part) => sum * 1_000 + Number(part), 0)
  );
  assert((used ?? 0) >= (needed ?? Infinity), `${ci.env.DENO_VERSION} is older than ${least}`);
});

Deno.test("the portable tests need no peers and no system of their own", async () => {
  const tests = config.tasks["test:portable"]?.command.match(/tests\/\S+_test\.ts/g) ?? [];
  assert(tests.length >= 10, "the task names too few tests");
  const wrong: string[] = [];
  for (const test of tests) {
    for (const path of (await graphOf(test, { types: false })).files.keys()) {
      if (!path.startsWith("tests/") || path === "tests/package/workflows_test.ts") continue;
      if (/_util\/(?:peers|terminal)\.ts$|_run\.ts$/.test(path)) wrong.push(`${test} -> ${path}`);
      const code = await Deno.readTextFile(join(ROOT, path));
      for (
        const [word] of code.matchAll(/new Deno\.Command\((?!Deno\.execPath\(\))\S*|"SIG\w+"/g)
      ) {
        wrong.push(`${path}: ${word}`);
      }
    }
  }
  assertEquals(wrong, []);
});

const tools = (path: string, args: string[]) =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", join(ROOT, path), ...args],
    env: { NO_COLOR: "1" },
  }).output();

Deno.test("a release whose tag is not the version, or without notes, is refused", async () => {
  const decoder = new TextDecoder();
  const other = await tools("tools/release_notes.ts", ["v99.0.0"]);
  assertEquals([other.code, decoder.decode(other.stdout)], [1, ""]);
  assertEquals(
    decoder.decode(other.stderr),
    `Cannot release v99.0.0: the version in deno.json is "${config.version}"\n`,
  );
  const none = await tools("tools/release_notes.ts", []);
  assertEquals(none.code, 2);

  const changes = await Deno.readTextFile(join(ROOT, "CHANGELOG.md"));
  const isReleased = new RegExp(`^## \\[?${config.version.replaceAll(".", "\\.")}\\b`, "m").test(
    changes,
  );
  const { code, stdout, stderr } = await tools("tools/release_notes.ts", [`v${config.version}`]);
  assertEquals(code, isReleased ? 0 : 1, decoder.decode(stderr));
  if (isReleased) assertMatch(decoder.decode(stdout), /\S/);
  else assertMatch(decoder.decode(stderr), /^Cannot release v\S+: CHANGELOG\.md has nothing under/);
});
