/** A stranger's first program: messages over TCP, a question over UDP. */
import {
  bindUdp,
  connectTcp,
  connectUdp,
  isNetError,
  jsonLines,
  serveTcp,
  serveUdp,
} from "@tincan/net";
import { ClosedError } from "@tincan/net/errors";
import { type Codec, lengthPrefixed, text } from "@tincan/net/framing";
import type { TcpConnection } from "@tincan/net/tcp";
import type { UdpPeer } from "@tincan/net/udp";

/** What the program found, on its output. */
export interface Findings {
  tcp: string;
  json: unknown;
  closed: string;
  udp: string;
  denoBackend: string;
  reusePort: string;
}

const framing: Codec<string> = text(lengthPrefixed({ size: 4 }));

async function tcp(): Promise<[string, string]> {
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn: TcpConnection) => {
    const messages = conn.framed(framing);
    for await (const message of messages) await messages.send(`echo: ${message}`);
  });
  const conn = await connectTcp({ port: server.addr.port, timeout: 10_000 });
  const reply = await conn.framed(framing).request("over TCP");
  await conn.close();
  return [reply ?? "nothing", await outcome(() => conn.write("late"))];
}

async function json(): Promise<unknown> {
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    const messages = conn.framed(jsonLines());
    for await (const message of messages) await messages.send({ echo: message });
  });
  await using conn = await connectTcp({ port: server.addr.port });
  return await conn.framed(jsonLines()).request([1, "two"]);
}

async function udp(): Promise<string> {
  await using server = await serveUdp({ port: 0, onListen() {} }, ({ data }) => data);
  await using peer: UdpPeer = await connectUdp({ port: server.addr.port });
  return new TextDecoder().decode((await peer.request("over UDP", { timeout: 2_000 })).data);
}

async function outcome(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return "works";
  } catch (error) {
    if (error instanceof ClosedError) return `ClosedError: ${error.code}`;
    return isNetError(error) ? error.message : `unexpected: ${error}`;
  }
}

const [reply, closed] = await tcp();
const findings: Findings = {
  tcp: reply,
  json: await json(),
  closed,
  udp: await udp(),
  denoBackend: await outcome(async () => {
    await using _endpoint = await bindUdp({ port: 0, backend: "deno" });
  }),
  reusePort: await outcome(async () => {
    await using _server = serveTcp({ port: 0, reusePort: true, onListen() {} }, () => {});
  }),
};
console.log(JSON.stringify(findings));
