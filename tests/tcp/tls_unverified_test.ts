/**
 * TLS through `node:tls`, where its sockets end unlike those of the runtime. What every connection does
 * is in conformance_test.ts.
 */
import { assertEquals } from "@std/assert";
import { startUnverifiedTls, type UnverifiedTlsConn } from "../../tcp/_tls_unverified.ts";
import { createConnection } from "../../tcp/connection.ts";
import { CLIENT_TIMEOUTS } from "../../tcp/timeouts.ts";
import { nextTurn, Watched } from "../_util/events.ts";
import { serverTls, text, utf8 } from "../_util/transports.ts";

const limit = { timeout: 20_000 };

/** A connection whose bytes leave only when the test says so, and its peer. */
interface HeldUp extends Disposable {
  readonly client: UnverifiedTlsConn;
  readonly peer: Deno.TlsConn;
  /** From now on bytes wait. */
  hold(): void;
  release(): void;
}

async function heldUp(): Promise<HeldUp> {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...serverTls });
  const plain = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const write = plain.write.bind(plain);
  plain.write = async (data) => {
    await gate.promise;
    return await write(data);
  };
  const client = await startUnverifiedTls(plain, { serverName: "localhost" });
  const peer = await listener.accept();
  await Promise.all([client.handshake(), peer.handshake()]);
  return {
    client,
    peer,
    hold: () => gate = Promise.withResolvers(),
    release: () => gate.resolve(),
    [Symbol.dispose]: () => peer.close(),
  };
}

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

/** What comes up to the announced end; a cut is an error. */
async function everything(conn: Pick<Deno.Conn, "read">): Promise<string | null> {
  const buffer = new Uint8Array(1024);
  let size = 0;
  for (let n; (n = await conn.read(buffer.subarray(size))) !== null;) size += n;
  return text(buffer.subarray(0, size));
}

Deno.test("our end is announced although the peer's came while bytes waited", limit, async () => {
  using held = await heldUp();
  const { client, peer } = held;
  held.hold();
  const written = client.write(utf8("last"));
  await peer.write(utf8("answer"));
  await peer.closeWrite();
  assertEquals(await everything(client), "answer");
  await written; // for `node:tls`, which has read something meanwhile
  const ended = client.closeWrite();
  const watched = new Watched(ended);
  await someTurns();
  assertEquals(watched.settled, false);
  held.release();
  await ended;
  client.close();
  assertEquals(await everything(peer), "last");
});

Deno.test("our end is announced although the peer's comes after closeWrite", limit, async () => {
  using held = await heldUp();
  const { client, peer } = held;
  held.hold();
  const written = client.write(utf8("last"));
  await peer.write(utf8("answer"));
  assertEquals(await client.read(new Uint8Array(16)), 6);
  await written;
  const ended = client.closeWrite();
  await someTurns();
  await peer.closeWrite();
  assertEquals(await everything(client), "");
  held.release();
  await ended;
  client.close();
  assertEquals(await everything(peer), "last");
});

Deno.test("close() waits for a closeWrite() that is under way", limit, async () => {
  using held = await heldUp();
  const { client, peer } = held;
  const conn = createConnection({
    socket: client,
    transport: "tls",
    localAddr: client.localAddr as Deno.NetAddr,
    remoteAddr: client.remoteAddr as Deno.NetAddr,
    timeouts: CLIENT_TIMEOUTS,
    maxWriteQueue: 1024,
    alpnProtocol: null,
    onRelease: undefined,
  });
  held.hold();
  const written = conn.write("last");
  await peer.write(utf8("answer"));
  await peer.closeWrite();
  assertEquals(text(await conn.readExactly(6)), "answer");
  assertEquals(await conn.readExactly(1), null);
  await written;
  const ended = conn.closeWrite();
  const closed = conn.close();
  await someTurns();
  held.release();
  await Promise.all([ended, closed]);
  assertEquals(await everything(peer), "last");
});
