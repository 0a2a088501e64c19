/** Every finished protocol, as somebody imports it who builds it into a program of their own. */
import { joinChat, serveChat } from "@tincan/net/chat";
import { echoHandler } from "@tincan/net/echo";
import { getFile, listFiles, serveFiles } from "@tincan/net/files";
import { httpGet } from "@tincan/net/http";
import { framingByName, type RelayEvent, serveRelay } from "@tincan/net/relay";
import { scanPorts } from "@tincan/net/scan";
import { connectTcp, serveTcp, type TcpServer } from "@tincan/net/tcp";

function portOf(server: Pick<TcpServer<Deno.NetAddr>, "addr">): number {
  return server.addr.port;
}

async function chat(): Promise<string> {
  await using server = serveChat({ port: 0, onListen() {} });
  await using ada = await joinChat({ port: portOf(server), name: "Ada" });
  await using bob = await joinChat({ port: portOf(server), name: "Bob" });
  await ada.send("hello");
  for await (const { kind, from, text } of bob) {
    if (kind === "message") return `${from}: ${text}`;
  }
  return "nothing";
}

async function files(folder: string): Promise<[string[], string]> {
  await Deno.writeTextFile(`${folder}/hello.txt`, "hello");
  await using server = await serveFiles(folder, { port: 0, onListen() {} });
  const port = portOf(server);
  const names = (await listFiles({ port })).map(({ name }) => name);
  await getFile("hello.txt", { port, output: `${folder}/copy.txt` });
  return [names, await Deno.readTextFile(`${folder}/copy.txt`)];
}

async function http(): Promise<string> {
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    await conn.readUntil("\r\n\r\n");
    await conn.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage");
  });
  await using response = await httpGet(`http://127.0.0.1:${portOf(server)}/`);
  return new TextDecoder().decode(await response.bytes({ maxSize: 100 }));
}

async function relay(): Promise<[string | null, number]> {
  const events: RelayEvent[] = [];
  await using server = serveTcp({ port: 0, onListen() {} }, echoHandler({ upper: true }));
  await using between = serveRelay({
    port: 0,
    target: { port: portOf(server) },
    framing: framingByName("lines"),
    observer: (event) => void events.push(event),
    onListen() {},
  });
  await using conn = await connectTcp({ port: portOf(between) });
  await conn.write("hello\n");
  return [await conn.readLine(), events.filter(({ type }) => type === "message").length];
}

async function scan(): Promise<boolean> {
  await using server = serveTcp({ port: 0, onListen() {} }, () => {});
  const port = portOf(server);
  const { hosts } = await scanPorts("127.0.0.1", { ports: String(port) });
  return hosts[0]?.open.some((found) => found.port === port) ?? false;
}

const folder = await Deno.makeTempDir();
try {
  console.log(JSON.stringify({
    chat: await chat(),
    files: await files(folder),
    http: await http(),
    relay: await relay(),
    scan: await scan(),
  }));
} finally {
  await Deno.remove(folder, { recursive: true });
}
