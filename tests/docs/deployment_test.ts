/** The server, the unit, the container file and the proxy configuration of docs/running-it-for-real.md. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connectTcp, type TcpConnection } from "../../mod.ts";
import { Peer } from "../_util/peers.ts";
import { isInstalled, type Page, programArgs, readPage, run, unpack } from "./_page.ts";

const limit = { timeout: 60_000 };
const page = await readPage("running-it-for-real.md");

/** A free port of this machine. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function inFolder(of: Page, act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await unpack(of);
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function fileOf(name: string): string {
  const block = page.blocks.find(({ file }) => file === name);
  assert(block, `the page has no ${name}`);
  return block.code;
}

/** Runs the page's server with the flags of one of its recipes: `deno run FLAGS server.ts HOST PORT`. */
async function talkTo(folder: string, recipe: readonly string[]): Promise<void> {
  const port = freePort();
  const flags = recipe.slice(2, -3).map((arg) => arg.replace("0.0.0.0:7000", `127.0.0.1:${port}`));
  assert(flags.includes(`--allow-net=127.0.0.1:${port}`), `${flags}: the port is not allowed`);
  const rest = programArgs(folder, "server.ts").filter((arg) => !["run", "-A"].includes(arg));
  const script = 'exec "$0" "$@" 2>&1'; // where it listens is for people, and goes to stderr
  const args = ["-c", script, Deno.execPath(), "run", ...flags, ...rest, "127.0.0.1", `${port}`];
  await using server = new Peer("sh", args);
  await server.shows("listening on");
  await using conn = await connectTcp({ port, retry: 5 });
  await conn.write("hello\n");
  assertEquals(await conn.readLine(), "you said hello");
  server.kill("SIGTERM");
  assertEquals(await conn.readLine(), null); // it says goodbye
  await conn.close();
  const stats = JSON.parse((await server.rest()).trim().split("\n").at(-1) ?? "");
  assertEquals([stats.accepted, stats.active, stats.handlerErrors], [1, 0, 0]);
  assertEquals((await server.status).code, 0);
}

Deno.test(
  "the server runs with the permissions of the systemd unit, and drains",
  limit,
  () =>
    inFolder(page, async (folder) => {
      const [, command = ""] = /^ExecStart=(.*)$/m.exec(fileOf("tincan-lines.service")) ?? [];
      await talkTo(folder, command.split(" "));
    }),
);

Deno.test(
  "the server runs with the permissions of the container, and drains",
  limit,
  () =>
    inFolder(page, async (folder) => {
      const [, list = ""] = /^ENTRYPOINT (.*)$/m.exec(fileOf("server.Dockerfile")) ?? [];
      const [deno = "", , ...rest] = JSON.parse(list) as string[];
      await talkTo(folder, [deno, ...rest]);
    }),
);

Deno.test({
  ...limit,
  name: "systemd finds nothing wrong with the unit",
  ignore: !await isInstalled("systemd-analyze"),
  fn: () =>
    inFolder(page, async (folder) => {
      const path = `${folder}/tincan-lines.service`;
      const unit = await Deno.readTextFile(path);
      await Deno.writeTextFile(path, unit.replace("/usr/local/bin/deno", Deno.execPath()));
      const { code, output } = await run(["systemd-analyze", "verify", path], folder);
      const about = output.split("\n").filter((line) => line.includes("tincan-lines"));
      assertEquals([code, about], [0, []], output);
    }),
});

Deno.test({
  ...limit,
  name: "haproxy passes connections on, and says for whom",
  ignore: !await isInstalled("haproxy"),
  fn: () =>
    inFolder(page, async (folder) => {
      const [front, back] = [freePort(), freePort()];
      const path = `${folder}/haproxy.cfg`;
      const config = (await Deno.readTextFile(path))
        .replace("127.0.0.1:7443", `127.0.0.1:${front}`)
        .replace("127.0.0.1:7000", `127.0.0.1:${back}`);
      await Deno.writeTextFile(path, config);
      await Deno.writeTextFile(
        `${folder}/behind.ts`,
        `import { serveTcp } from "@tincan/net";
import { readProxyLine } from "./proxy_line.ts";
serveTcp({ port: ${back}, onListen: () => console.log("ready") }, async (conn) => {
  const client = await readProxyLine(conn);
  await conn.write(\`\${client?.hostname} \${client?.port}\\n\`);
});`,
      );
      const args = programArgs(folder, "behind.ts");
      await using server = new Peer(Deno.execPath(), args);
      assertEquals(await server.line(), "ready");
      await using _proxy = new Peer("haproxy", ["-db", "-q", "-f", path]);
      await using conn: TcpConnection = await connectTcp({ port: front, retry: 8 });
      const { hostname, port } = conn.localAddr as Deno.NetAddr;
      assertMatch(await conn.readLine() ?? "", new RegExp(`^${hostname} ${port}$`));
    }),
});
