/**
 * What each program is for, in a few tasks that need every permission it is given. They run the
 * programs from their sources with these permissions, with one less, and as executables.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { joinChat, serveChat } from "../../apps/chat/mod.ts";
import { echoHandler } from "../../apps/echo.ts";
import { listFiles, serveFiles } from "../../apps/files/mod.ts";
import { connectTcp, connectUdp, serveTcp, serveUdp } from "../../mod.ts";
import { portOf, serverTls, tlsFiles } from "../_util/transports.ts";
import { type Launch, listen, run } from "./_launch.ts";

/** A task in an empty folder; it throws if the program cannot do it. */
export type Task = (launch: Launch, folder: string) => Promise<void>;

/** Listens on a port of the system's choice and says nothing. */
const QUIET = { port: 0, onListen() {} };

/** The tasks of the examples. */
const EXAMPLE_TASKS = new Map<string, readonly Task[]>([
  ["file_transfer", [serveFolder, listFolder, downloadFile, uploadFile]],
  ["http_get", [fetchPage, fetchOverTls]],
  ["port_scan", [scanPort]],
  ["relay", [relayAndCapture]],
  ["sticky_packets", [showStickyPackets]],
  ["tcp_chat", [serveRoom, joinRoom, serveRoomOverTls]],
  ["tcp_echo", [serveEcho, askEcho]],
  ["udp_chat", [talkByName]],
  ["udp_echo", [serveUdpEcho, askUdpEcho]],
]);

/** The commands of `tincan` that are examples, too. */
const COMMANDS: readonly [command: readonly string[], example: string][] = [
  [["chat"], "tcp_chat"],
  [["chat", "--udp"], "udp_chat"],
  [["echo"], "tcp_echo"],
  [["echo", "--udp"], "udp_echo"],
  [["files"], "file_transfer"],
  [["http"], "http_get"],
  [["relay"], "relay"],
  [["scan"], "port_scan"],
];

/** The tasks of all programs in `tools/programs.ts`. */
export const TASKS: ReadonlyMap<string, readonly Task[]> = new Map([
  ...EXAMPLE_TASKS,
  ["tincan", [
    ...COMMANDS.flatMap(([command, example]) =>
      (EXAMPLE_TASKS.get(example) ?? []).map((task): Task => (launch, folder) =>
        task([...launch, ...command], folder)
      )
    ),
    ...[sayVersion, connectAndListen, connectToUnixSocket, connectUnverified, printCompletions],
  ]],
]);

/** Does the tasks of a program one after the other, each in a folder of its own. */
export async function doTasks(name: string, launch: Launch): Promise<void> {
  for (const task of TASKS.get(name) ?? []) {
    const folder = await Deno.makeTempDir({ prefix: "tincan_task_" });
    try {
      await task(launch, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
}

async function serveFolder(launch: Launch, folder: string): Promise<void> {
  await Deno.writeTextFile(join(folder, "hello.txt"), "hello");
  await using server = await listen(launch, ["serve", folder, "--port", "0"]);
  assertEquals((await listFiles({ port: server.port })).map(({ name }) => name), ["hello.txt"]);
  assertEquals(await server.stop(), 0);
}

async function listFolder(launch: Launch, folder: string): Promise<void> {
  await Deno.writeTextFile(join(folder, "hello.txt"), "hello");
  await using server = await serveFiles(folder, QUIET);
  assertMatch(await run(launch, ["list", "--port", `${portOf(server)}`]), /hello\.txt/);
}

async function downloadFile(launch: Launch, folder: string): Promise<void> {
  await Deno.writeTextFile(join(folder, "hello.txt"), "hello");
  await using server = await serveFiles(folder, QUIET);
  const output = join(folder, "copy.txt");
  const args = ["get", "hello.txt", "--output", output, "--force", "--port"];
  await run(launch, [...args, `${portOf(server)}`]);
  assertEquals(await Deno.readTextFile(output), "hello");
}

async function uploadFile(launch: Launch, folder: string): Promise<void> {
  const served = await Deno.makeTempDir({ dir: folder });
  const file = join(folder, "upload.txt");
  await Deno.writeTextFile(file, "hello");
  await using server = await serveFiles(served, { ...QUIET, upload: {} });
  await run(launch, ["put", file, "--port", `${portOf(server)}`]);
  assertEquals(await Deno.readTextFile(join(served, "upload.txt")), "hello");
}

const PAGE = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";

async function fetchPage(launch: Launch, folder: string): Promise<void> {
  await using server = serveTcp(QUIET, async (conn) => {
    await conn.readUntil("\r\n\r\n");
    await conn.write(PAGE);
  });
  const output = join(folder, "page.html");
  await run(launch, [`http://127.0.0.1:${portOf(server)}/`, "--output", output]);
  assertEquals(await Deno.readTextFile(output), "page");
}

async function fetchOverTls(launch: Launch, folder: string): Promise<void> {
  await using server = serveTcp({ ...QUIET, tls: serverTls }, async (conn) => {
    await conn.readUntil("\r\n\r\n");
    await conn.write(PAGE);
  });
  const authority = join(folder, "ca.pem");
  await Deno.writeTextFile(authority, tlsFiles.ca);
  const url = `https://localhost:${portOf(server)}/`;
  assertEquals(await run(launch, [url, "--ca", authority]), "page");
}

async function scanPort(launch: Launch): Promise<void> {
  await using server = serveTcp(QUIET, () => {});
  const port = portOf(server);
  const output = await run(launch, ["127.0.0.1", "--ports", `${port}`, "--json"]);
  assertEquals(JSON.parse(output).state, "open");
}

async function relayAndCapture(launch: Launch, folder: string): Promise<void> {
  await using server = serveTcp(QUIET, echoHandler({ upper: true }));
  const capture = join(folder, "captured.jsonl");
  const args = ["--listen", "0", "--to", `127.0.0.1:${portOf(server)}`, "--capture", capture];
  await using between = await listen(launch, args);
  await using conn = await connectTcp({ port: between.port });
  await conn.write("hello\n");
  assertEquals(await conn.readLine(), "HELLO");
  await conn.close();
  assertEquals(await between.stop(), 0);
  assertMatch(await Deno.readTextFile(capture), /"type":"data"/);
  assertMatch(await run(launch, ["--read", capture]), /68 65 6c 6c 6f/);
}

async function showStickyPackets(launch: Launch): Promise<void> {
  assertMatch(await run(launch, []), /framed/i);
}

async function serveRoom(launch: Launch): Promise<void> {
  await using server = await listen(launch, ["--port", "0"]);
  await using ada = await joinChat({ port: server.port, name: "Ada" });
  await ada.send("/who");
  assertEquals(await server.stop(), 0);
}

async function serveRoomOverTls(launch: Launch): Promise<void> {
  const certificate = ["--tls", "--cert", tlsFiles.certPath, "--key", tlsFiles.keyPath];
  await using server = await listen(launch, ["--port", "0", ...certificate]);
  const tls = { caCerts: [tlsFiles.ca] };
  await using ada = await joinChat({ hostname: "localhost", port: server.port, name: "Ada", tls });
  await ada.send("/who");
  assertEquals(await server.stop(), 0);
}

async function joinRoom(launch: Launch): Promise<void> {
  await using server = serveChat(QUIET);
  await using ada = await joinChat({ port: portOf(server), name: "Ada" });
  const args = ["join", "--name", "Bob", "--port", `${portOf(server)}`];
  await run(launch, args, "hello\n");
  for await (const { kind, from, text } of ada) {
    if (kind === "message") return assertEquals([from, text], ["Bob", "hello"]);
  }
  assert(false, "Ada has heard nothing");
}

async function serveEcho(launch: Launch): Promise<void> {
  await using server = await listen(launch, ["--port", "0", "--upper"]);
  await using conn = await connectTcp({ port: server.port });
  await conn.write("hello\n");
  assertEquals(await conn.readLine(), "HELLO");
  assertEquals(await server.stop(), 0);
}

async function askEcho(launch: Launch): Promise<void> {
  await using server = serveTcp(QUIET, echoHandler({ upper: true }));
  const args = ["client", "--port", `${portOf(server)}`, "--message", "hello"];
  assertEquals(await run(launch, args), "HELLO\n");
}

async function talkByName(launch: Launch, folder: string): Promise<void> {
  const heard = Promise.withResolvers<string>();
  await using bob = await serveUdp(
    QUIET,
    ({ data }) => heard.resolve(new TextDecoder().decode(data)),
  );
  const contacts = join(folder, "contacts.json");
  await Deno.writeTextFile(contacts, JSON.stringify({ bob: `127.0.0.1:${portOf(bob)}` }));
  await run(launch, ["--name", "ada", "--contacts", contacts], "bob\nhello\n");
  assertEquals(await heard.promise, "hello");
}

async function serveUdpEcho(launch: Launch): Promise<void> {
  await using server = await listen(launch, ["--port", "0", "--upper"]);
  await using peer = await connectUdp({ port: server.port });
  const { data } = await peer.request("hello", { timeout: 2_000 });
  assertEquals(new TextDecoder().decode(data), "HELLO");
  assertEquals(await server.stop(), 0);
}

async function askUdpEcho(launch: Launch): Promise<void> {
  await using server = await serveUdp(QUIET, ({ data }) => data);
  const args = ["client", "--port", `${portOf(server)}`, "--message", "hello"];
  assertEquals(await run(launch, args), "hello\n");
}

async function sayVersion(launch: Launch): Promise<void> {
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assertEquals(await run(launch, ["--version"]), `tincan ${version}\n`);
}

async function printCompletions(launch: Launch): Promise<void> {
  assertMatch(await run(launch, ["completions", "bash"]), /complete .*tincan/);
  assertMatch(await run(launch, ["completions", "bash", "con"]), /connect/);
}

async function connectAndListen(launch: Launch): Promise<void> {
  await using server = await listen(launch, ["listen", "--port", "0"]);
  await run(launch, ["connect", `127.0.0.1:${server.port}`], "hello\n");
  assertEquals(await server.ended, 0);
}

async function connectToUnixSocket(launch: Launch, folder: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const path = join(folder, "socket");
  await using _server = serveTcp({ path, onListen() {} }, echoHandler({ upper: true }));
  assertEquals(await run(launch, ["connect", "--unix", path], "hello\n"), "HELLO\n");
}

async function connectUnverified(launch: Launch): Promise<void> {
  await using server = serveTcp({ ...QUIET, tls: serverTls }, echoHandler({ upper: true }));
  const args = ["connect", "--tls", "--insecure", `127.0.0.1:${portOf(server)}`];
  assertEquals(await run(launch, args, "hello\n"), "HELLO\n");
}
