/** A relay that leads to itself is refused, or at least does not connect to itself for ever. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { leadsTo, SelfRelayGuard } from "../../apps/relay/_loop.ts";
import { type RelayEvent, serveRelay } from "../../apps/relay/mod.ts";
import { connectTcp, type TcpConnection } from "../../mod.ts";
import { testUnless } from "../_util/peers.ts";

const own = Deno.networkInterfaces().map(({ address }) => address);
const other = own.find((address) => address.includes(".") && !address.startsWith("127."));

/** Target, listener, and whether one leads to the other. */
const CASES: [string, string, boolean][] = [
  ["127.0.0.1", "127.0.0.1", true],
  ["localhost", "127.0.0.1", true],
  ["LOCALHOST", "::1", true],
  ["127.0.0.1", "localhost", true],
  ["0.0.0.0", "127.0.0.1", true],
  ["::", "127.0.0.1", true],
  ["::", "::1", true],
  ["[::1]", "::1", true],
  ["0:0:0:0:0:0:0:1", "::1", true],
  ["::ffff:127.0.0.1", "127.0.0.1", true],
  ["::ffff:7f00:1", "127.0.0.1", true],
  ["127.1", "127.0.0.1", true],
  ["2130706433", "127.0.0.1", true],
  ["127.0.0.1", "::ffff:127.0.0.1", true],
  ["127.0.0.9", "0.0.0.0", true],
  ["127.0.0.9", "::", true],
  ["::1", "::", true],
  ["0.0.0.0", "0.0.0.0", true],
  ["relay.test", "relay.test", true],
  ...other === undefined ? [] : [
    [other, "0.0.0.0", true],
    [other, "::", true],
    [`::ffff:${other}`, "0.0.0.0", true],
    [other, "127.0.0.1", false],
  ] satisfies [string, string, boolean][],
  ["127.0.0.9", "127.0.0.1", false],
  ["::1", "127.0.0.1", false],
  ["::1", "0.0.0.0", false],
  ["192.0.2.1", "0.0.0.0", false],
  ["2001:db8::1", "::", false],
  ["example.com", "127.0.0.1", false],
  ["%", "127.0.0.1", false],
];
for (const [target, listener, expected] of CASES) {
  Deno.test(`${target} ${expected ? "leads" : "does not lead"} to a listener on ${listener}`, () => {
    assertEquals(leadsTo(target, listener), expected);
  });
}

for (const hostname of ["0.0.0.0", "::", "::ffff:127.0.0.1", "127.1"]) {
  Deno.test(`serveRelay refuses to lead to itself as ${hostname}`, () => {
    assertThrows(
      () => serveRelay({ port: 7777, target: { port: 7777, hostname } }),
      TypeError,
      "that is the relay itself",
    );
  });
}

/** Whether this host has an address by its name. */
function knowsItself(): boolean {
  try {
    Deno.listen({ hostname: Deno.hostname(), port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

const nameTest = testUnless(knowsItself() ? null : "no address for the name of this host");

nameTest("a loop through a name ends at once", async () => {
  const free = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const { port } = free.addr;
  free.close();
  const events: RelayEvent[] = [];
  const relay = serveRelay({
    port,
    hostname: "0.0.0.0",
    target: { port, hostname: Deno.hostname() }, // a name that nobody looks up before
    onListen() {},
    observer: (event) => void events.push(event),
  });
  const conn = await connectTcp({ port });
  assertEquals(await ending(conn), "reset");
  await conn.close();
  await relay.shutdown();
  const { accepted } = relay.stats();
  assert(accepted < 10, `${accepted} connections`);
  const told = events.map((event) => "reason" in event ? event.reason : undefined);
  assert(told.some((reason) => reason?.endsWith("that is the relay itself")), `${told}`);
});

Deno.test("loops are recognised by both ends, whichever is noted first", async () => {
  const aborted: string[] = [];
  const addr = (text: string): Deno.NetAddr => {
    const [hostname = "", port] = text.split(" ");
    return { transport: "tcp", hostname, port: Number(port) };
  };
  const end = (name: string, from: string, to: string) => {
    const { promise: closed, resolve } = Promise.withResolvers<Awaited<TcpConnection["closed"]>>();
    return {
      localAddr: addr(from),
      remoteAddr: addr(to),
      closed,
      abort: () => void aborted.push(name),
      async close() {
        resolve({ how: "closed" });
        await closed;
      },
    };
  };
  const outgoing = () => end("outgoing", "a 1", "b 2");
  const incoming = () => end("incoming", "b 2", "a 1");
  const loops = new SelfRelayGuard(new Error("a loop"));
  const before = outgoing();
  const renewed = outgoing(); // the same addresses, used again
  loops.connected(before);
  loops.connected(renewed);
  await before.close();
  loops.entered(end("another", "c 2", "a 1")); // the same port of the client, on another address
  assertEquals(aborted, []);
  const client = incoming();
  loops.entered(client);
  assertEquals(aborted.splice(0), ["incoming", "outgoing"]);
  await renewed.close();
  const looped = outgoing();
  assertThrows(() => loops.connected(looped), Error, "a loop");
  assertEquals(aborted.splice(0), ["incoming", "outgoing"]);
  await looped.close();
  await client.close();
  const last = outgoing();
  loops.connected(last);
  await last.close();
  loops.entered(incoming());
  assertEquals(aborted, []);
});

/** How a connection ends on which nothing comes. */
async function ending(conn: TcpConnection): Promise<string> {
  try {
    return await conn.readLine() === null ? "end" : "data";
  } catch (error) {
    return error instanceof Deno.errors.ConnectionReset ? "reset" : String(error);
  }
}
