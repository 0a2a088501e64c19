/** Options of servers, clients and sessions: misspelt, misplaced, contradictory; and typed addresses. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  bindUdp,
  connectTcp,
  type Datagram,
  serveTcp,
  serveUdp,
  type SessionHandler,
  sessions,
  type TcpConnection,
  type TcpHandler,
  type TcpServer,
  type UdpHandler,
  type UdpServer,
  type UdpSession,
} from "../../mod.ts";
import { nextTurn } from "../_util/events.ts";
import { echo } from "../_util/transports.ts";

const limit = { timeout: 20_000 };
const quiet = { port: 0, onListen() {} };

/** Every way in that takes options. */
const callers: Record<string, (options: never) => unknown> = {
  serveTcp: (options) => serveTcp(options as typeof quiet, echo),
  connectTcp: (options) => connectTcp(options),
  serveUdp: (options) => serveUdp(options as typeof quiet, () => {}),
  async sessions(options) {
    await using endpoint = await bindUdp();
    sessions(endpoint, options, () => {});
  },
};

for (
  const [caller, options, message] of [
    ["serveTcp", { idel: 1 }, 'option "idel" of serveTcp: did you mean "timeouts.idle"?'],
    ["serveTcp", { host: "::" }, 'option "host" of serveTcp: did you mean "hostname"?'],
    ["serveTcp", { maxConnectionsPerIp: 1 }, 'did you mean "limits.maxConnectionsPerIp"?'],
    ["serveTcp", { maxWriteQueue: 1 }, 'did you mean "limits.maxWriteQueue"?'],
    ["serveTcp", { limits: 5 }, 'option "limits" as an object: current value is 5'],
    ["serveTcp", { timeouts: 5_000 }, 'option "timeouts" as an object: current value is 5000'],
    ["serveTcp", { tls: true }, 'option "tls" as an object: current value is true'],
    ["serveTcp", { tls: { crt: "" } }, 'option "tls.crt" of serveTcp: did you mean "tls.cert"?'],
    ["serveTcp", 9999, "the options of serveTcp as an object: current value is 9999"],
    ["serveTcp", echo, "current value is the function echo; options come before the handler"],
    ["connectTcp", { port: 1, host: "::1" }, 'did you mean "hostname"?'],
    ["connectTcp", { port: 1, idle: 1 }, 'did you mean "timeouts.idle"?'],
    ["connectTcp", { port: 1, attempts: 3 }, 'did you mean "retry.attempts"?'],
    ["connectTcp", { port: 1, retry: { attempt: 3 } }, 'did you mean "retry.attempts"?'],
    ["connectTcp", { port: 1, retry: "3" }, '"retry.attempts" as a whole number from 1'],
    ["connectTcp", { port: 1, maxWriteQueue: 3 }, 'did you mean "limits.maxWriteQueue"?'],
    ["connectTcp", { port: 1, caCerts: [] }, 'did you mean "tls.caCerts"?'],
    [
      "connectTcp",
      { port: 1, tls: "yes" },
      'option "tls" as true or false: current value is "yes"',
    ],
    ["connectTcp", { port: "1" }, 'option "port" as a whole number from 1 to 65535'],
    ["connectTcp", 9999, "the options of connectTcp as an object"],
    ["serveUdp", { host: "::" }, 'option "host" of serveUdp: did you mean "hostname"?'],
    ["serveUdp", { timeouts: {} }, 'option "timeouts" of serveUdp: there is no such option'],
    ["serveUdp", { window: 1 }, 'did you mean "dedup.window"?'],
    ["serveUdp", { dedup: { windows: 1 } }, 'did you mean "dedup.window"?'],
    ["serveUdp", { dedup: "yes" }, 'option "dedup.window" as milliseconds from 0'],
    ["serveUdp", { maxReplyRatio: "1" }, 'option "maxReplyRatio" as a number from 0'],
    ["sessions", { maxPeer: 1 }, 'option "maxPeer" of sessions: did you mean "maxPeers"?'],
    ["sessions", { port: 1 }, 'option "port" of sessions: there is no such option'],
    ["sessions", 5, "the options of sessions as an object: current value is 5"],
  ] as const
) {
  Deno.test(`${caller}: ${message}`, limit, async () => {
    await assertRejects(
      async () => await callers[caller]?.(options as never),
      TypeError,
      message,
    );
  });
}

Deno.test("options that come after the handler are refused, and said so", limit, async () => {
  const message = "the handler comes after the options";
  assertThrows(() => serveTcp(echo as never, {} as never), TypeError, message);
  await assertRejects(() => serveUdp((() => {}) as never, {} as never), TypeError, message);
  await using endpoint = await bindUdp();
  assertThrows(() => sessions(endpoint, (() => {}) as never, {} as never), TypeError, message);
  sessions(endpoint, undefined, () => {}); // nothing was taken over before
});

Deno.test("a handler that is none is named", limit, async () => {
  assertThrows(() => serveTcp(quiet, 5 as never), TypeError, "the handler of serveTcp");
  await assertRejects(() => serveUdp(quiet, undefined as never), TypeError, "handler of serveUdp");
  await using endpoint = await bindUdp();
  assertThrows(() => sessions(endpoint, {} as never), TypeError, "the handler of sessions");
});

Deno.test("an address can be passed on as options", limit, async () => {
  await using server = serveTcp(quiet, echo);
  await using conn = await connectTcp(server.addr);
  await using other = await connectTcp({ ...server.addr, timeout: 5_000 });
  assertEquals([conn.remoteAddr, other.remoteAddr], [server.addr, server.addr]);
});

Deno.test("addresses have the type that the options say", limit, async () => {
  // Handlers that know any address fit everywhere.
  const handler: TcpHandler = (conn: TcpConnection) => void conn.remoteAddr.transport;
  const udpHandler: UdpHandler = (datagram: Datagram) => void datagram.from.transport;
  const sessionHandler: SessionHandler = (session: UdpSession) => session.close();
  const ports: number[] = [];
  await using tcp = serveTcp({
    onListen: (addr) => ports.push(addr.port),
    onConnect: (conn) => ports.push(conn.localAddr.port),
  }, handler);
  await using conn = await connectTcp({ port: tcp.addr.port });
  await using alone = serveTcp({ ...quiet }, (conn) => void ports.push(conn.remoteAddr.port));
  while (ports.length < 2) await nextTurn();
  assertEquals(ports, [tcp.addr.port, conn.remoteAddr.port]);
  await using udp = await serveUdp({ onListen: (addr) => ports.push(addr.port) }, udpHandler);
  assertEquals(ports.at(-1), udp.addr.port);
  await using endpoint = await bindUdp();
  await using all = sessions(endpoint, sessionHandler);
  for (const { remoteAddr } of all.peers) ports.push(remoteAddr.port);
  // And what has a certain address fits where any will do.
  const servers: [TcpServer, TcpServer, UdpServer] = [tcp, alone, udp];
  assertEquals(servers.length, 3);
  const dir = await Deno.makeTempDir();
  {
    const path = `${dir}/socket`;
    await using unix = serveTcp({ path, onListen: (addr) => void addr.path }, (conn) => {
      conn.remoteAddr.path;
    });
    await using client = await connectTcp({ path: unix.addr.path });
    assertEquals(client.remoteAddr.path, path);
    // @ts-expect-error: a unix socket has no port
    assertEquals(unix.addr.port, undefined);
    // @ts-expect-error: and a port no path
    assertEquals(tcp.addr.path, undefined);
  }
  await Deno.remove(dir, { recursive: true });
});
