/**
 * A stranger's project, outside of this repository and without its deno.json: it adds the package from
 * a registry, type-checks under stricter settings than ours, and runs.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { pack, type Packed } from "./_pack.ts";
import { startRegistry } from "./_registry.ts";

const limit = { timeout: 300_000 };

/** Everything that TypeScript can be strict about, and not only in the stranger's own files. */
const STRICTER = {
  allowUnreachableCode: false,
  allowUnusedLabels: false,
  erasableSyntaxOnly: true,
  noImplicitAny: true,
  noPropertyAccessFromIndexSignature: true,
  noUnusedLocals: true,
  strictBuiltinIteratorReturn: true,
  verbatimModuleSyntax: true,
};

/** A project in a folder of its own, with a cache of its own: nothing is there but the package. */
interface Project extends AsyncDisposable {
  /** Runs Deno in it. */
  deno(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  readonly requests: readonly string[];
}

async function newProject(packed: Packed): Promise<Project> {
  const registry = await startRegistry(packed);
  const folder = await Deno.makeTempDir({ prefix: "tincan_consumer_" });
  const consumer = new URL("consumer/", import.meta.url);
  for await (const { name } of Deno.readDir(consumer)) {
    await Deno.copyFile(new URL(name, consumer), join(folder, name));
  }
  const ours = JSON.parse(await Deno.readTextFile(join(packed.folder, "deno.json")));
  const config = {
    imports: { [packed.name]: `jsr:${packed.name}@^${packed.version}` },
    compilerOptions: { ...ours.compilerOptions, ...STRICTER },
  };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config));
  const ancient = { ...config, compilerOptions: { ...config.compilerOptions, lib: ["es5"] } };
  await Deno.writeTextFile(join(folder, "ancient.json"), JSON.stringify(ancient));
  const decoder = new TextDecoder();
  return {
    requests: registry.requests,
    async deno(...args) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args,
        cwd: folder,
        env: { JSR_URL: registry.url, DENO_DIR: join(folder, ".deno"), NO_COLOR: "1" },
      }).output();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/**
 * Where a type check has found errors. Those in the runtime's own declarations are not counted: with
 * `exactOptionalPropertyTypes`, Deno 2.9.6 finds one in what it declares for node:https.
 */
function placesOfErrors(stderr: string): string[] {
  const places = [...stderr.matchAll(/^ {4}at (\S+):\d+:\d+$/gm)].map(([, place = ""]) => place);
  return places.filter((place) => !place.startsWith("asset:"));
}

Deno.test("a stranger's project: adds the package, type-checks, runs", limit, async (t) => {
  await using packed = await pack();
  await using project = await newProject(packed);

  await t.step(
    "type-checks under stricter settings than ours, the package's code too",
    async () => {
      const { stderr } = await project.deno("check", "--all", "echo.ts", "apps.ts");
      assertMatch(stderr, /^Check apps\.ts$/m);
      assertEquals(placesOfErrors(stderr), [], stderr);
    },
  );

  await t.step("that check sees the package's code", async () => {
    const args = ["--all", "--config", "ancient.json", "echo.ts"];
    const { code, stderr } = await project.deno("check", ...args);
    assertEquals(code, 1);
    assert(placesOfErrors(stderr).some((place) => place.includes("/tcp/connection.ts")), stderr);
  });

  await t.step("a wrong use is an error of types", async () => {
    const wrong = 'import { lines } from "@tincan/net"; lines({ maxLength: "64" });';
    const { code, stderr } = await project.deno("eval", "--check", wrong);
    assertEquals(code, 1);
    assertMatch(stderr, /Type 'string' is not assignable to type 'number'/);
  });

  const run = ["run", "--no-prompt", "--cached-only"];
  const echoed = {
    tcp: "echo: over TCP",
    json: { echo: [1, "two"] },
    closed: "ClosedError: closed",
    udp: "over UDP",
  };

  await t.step("runs without the runtime flag", async () => {
    const { code, stdout, stderr } = await project.deno(...run, "--allow-net", "echo.ts");
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout), {
      ...echoed,
      denoBackend:
        'Cannot bind on 127.0.0.1:0: backend "deno" needs the runtime flag --unstable-net',
      reusePort:
        'Cannot listen on 127.0.0.1:0: option "reusePort" needs the runtime flag --unstable-net',
    });
  });

  await t.step("runs with the runtime flag", async () => {
    const flags = ["--allow-net", "--unstable-net"];
    const { code, stdout, stderr } = await project.deno(...run, ...flags, "echo.ts");
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout), { ...echoed, denoBackend: "works", reusePort: "works" });
  });

  await t.step("every app works", async () => {
    const flags = ["--allow-net", "--allow-read", "--allow-write"];
    const { code, stdout, stderr } = await project.deno(...run, ...flags, "apps.ts");
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout), {
      chat: "Ada: hello",
      files: [["hello.txt"], "hello"],
      http: "page",
      relay: ["HELLO", 2],
      scan: true,
    });
  });

  await t.step("every entry point was imported from the registry, and from nowhere else", () => {
    const version = `/${packed.name}/${packed.version}`;
    for (const path of Object.values(packed.exports)) {
      assert(project.requests.includes(version + path.slice(1)), `nobody asked for ${path}`);
    }
  });
});
