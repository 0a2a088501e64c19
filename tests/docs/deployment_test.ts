/** The server, the unit, the container file and the proxy configuration of docs/running-it-for-real.md. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connectTcp, type TcpConnection } from "../../mod.ts";
import { Peer, testWith } from "../_util/peers.ts";
import { freePort } from "../_util/ports.ts";
import { Clone } from "./_clone.ts";
import { fileOf, readPage } from "./_page.ts";

const haproxyTest = testWith("haproxy");
const systemdTest = testWith("systemd-analyze");

const limit = { timeout: 60_000 };
const page = await readPage("docs/running-it-for-real.md");
const server = fileOf(page, "server.ts");
const unit = fileOf(page, "tincan-lines.service");
const container = fileOf(page, "server.Dockerfile");

/** Runs the page's server with the flags of one of its recipes: `deno run FLAGS server.ts HOST PORT`. */
async function talkTo(recipe: readonly string[]): Promise<void> {
  await using clone = await Clone.make(false);
  await clone.write("server.ts", server);
  const port = freePort();
  const flags = recipe.slice(2, -3).map((arg) => arg.replace("0.0.0.0:7000", `127.0.0.1:${port}`));
  assert(flags.includes(`--allow-net=127.0.0.1:${port}`), `${flags}: the port is not allowed`);
  const script = 'exec "$0" "$@" 2>&1'; // where it listens is for people, and goes to stderr
  const { command, args } = clone.command([
    ...["sh", "-c", script, "deno", "run", ...flags, "server.ts", "127.0.0.1", `${port}`],
  ]);
  await using running = new Peer(command, args);
  await running.shows("listening on");
  await using conn = await connectTcp({ port, retry: 5 });
  await conn.write("hello\n");
  assertEquals(await conn.readLine(), "you said hello");
  for (const legal of ["x".repeat(4_090), "é".repeat(2_048), "ends with a return\r"]) {
    await conn.write(`${legal}\r\n`);
    assertEquals(await conn.readLine(), `you said ${legal}`.replace(/\r$/, ""));
  }
  running.kill("SIGTERM");
  assertEquals(await conn.readLine(), null); // it says goodbye
  await conn.close();
  const stats = JSON.parse((await running.rest()).trim().split("\n").at(-1) ?? "");
  assertEquals([stats.accepted, stats.active, stats.handlerErrors], [1, 0, 0]);
  assertEquals((await running.status).code, 0);
}

Deno.test("the server runs with the permissions of the systemd unit, and drains", limit, () => {
  const [, command = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  return talkTo(command.split(" "));
});

Deno.test("the server runs with the permissions of the container, and drains", limit, () => {
  const [, list = ""] = /^ENTRYPOINT (.*)$/m.exec(container) ?? [];
  const [deno = "", , ...rest] = JSON.parse(list) as string[];
  return talkTo([deno, ...rest]);
});

systemdTest({
  ...limit,
  name: "systemd finds nothing wrong with the unit",
  fn: async () => {
    await using clone = await Clone.make(false);
    await clone.write("tincan-lines.service", unit.replace("/usr/local/bin/deno", Deno.execPath()));
    const { code, output } = await clone.run([
      "systemd-analyze",
      "verify",
      "./tincan-lines.service",
    ]);
    const about = output.split("\n").filter((line) => line.includes("tincan-lines"));
    assertEquals([code, about], [0, []], output);
  },
});

/** Prints `ready`, and says to everybody who they are. */
const behind = (port: number) =>
  `import { serveTcp } from "@tincan/net";
import { readProxyLine } from "./proxy_line.ts";
serveTcp({ port: ${port}, onListen: () => console.log("ready") }, async (conn) => {
  const client = await readProxyLine(conn);
  await conn.write(\`\${client?.hostname} \${client?.port}\\n\`);
});`;

haproxyTest({
  ...limit,
  name: "haproxy passes connections on, and says for whom",
  fn: async () => {
    await using clone = await Clone.make(false);
    const [front, back] = [freePort(), freePort()];
    const config = fileOf(page, "haproxy.cfg")
      .replace("127.0.0.1:7443", `127.0.0.1:${front}`)
      .replace("127.0.0.1:7000", `127.0.0.1:${back}`);
    await clone.write("haproxy.cfg", config);
    await clone.write("proxy_line.ts", fileOf(page, "proxy_line.ts"));
    await clone.write("behind.ts", behind(back));
    const { command, args } = clone.command(["deno", "run", "-A", "behind.ts"]);
    await using program = new Peer(command, args);
    assertEquals(await program.line(), "ready");
    await using _proxy = new Peer("haproxy", ["-db", "-q", "-f", `${clone.folder}/haproxy.cfg`]);
    await using conn: TcpConnection<Deno.NetAddr> = await connectTcp({ port: front, retry: 8 });
    const { hostname, port } = conn.localAddr;
    assertMatch(await conn.readLine() ?? "", new RegExp(`^${hostname} ${port}$`));
  },
});
