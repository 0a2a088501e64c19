/**
 * The tools people type: nc, ncat, telnet, socat, openssl.
 */
import { assertEquals } from "@std/assert";
import { connectTcp } from "../../mod.ts";
import { Peer, testWith } from "../_util/peers.ts";
import { freePort } from "../_util/ports.ts";
import {
  clientTls,
  echo,
  portOf,
  readAll,
  tcp,
  text,
  tls,
  tlsFiles,
  unix,
} from "../_util/transports.ts";

const ncTest = testWith("nc");
const ncatTest = testWith("ncat");
const opensslTest = testWith("openssl");
const socatTest = testWith("socat");
const telnetTest = testWith("telnet");

const limit = { timeout: 20_000 };

/** Types two lines at a tool that talks to an echo, and sees them again. */
async function assertEchoed(peer: Peer): Promise<void> {
  for (const line of ["hello", "grüße 🥫"]) {
    await peer.type(`${line}\n`);
    assertEquals(await peer.line(), line);
  }
}

ncTest("nc talks to serveTcp and ends when its input does", limit, async () => {
  await using server = tcp.serve({}, echo);
  await using peer = new Peer("nc", ["-N", "127.0.0.1", `${portOf(server)}`]);
  await assertEchoed(peer);
  await peer.endInput();
  assertEquals(await peer.rest(), "");
  assertEquals((await peer.status).code, 0);
});

ncTest("nc sees the server's end", limit, async () => {
  await using server = tcp.serve({}, (conn) => conn.write("only this\n"));
  await using peer = new Peer("nc", ["127.0.0.1", `${portOf(server)}`]);
  assertEquals(await peer.line(), "only this");
  await peer.endInput(); // it stays as long as somebody might type
  assertEquals(await peer.rest(), "");
});

ncTest("connectTcp talks to a listening nc", limit, async () => {
  const port = freePort();
  await using peer = new Peer("nc", ["-l", "-N", "127.0.0.1", `${port}`]);
  await using conn = await connectTcp({
    port,
    retry: { attempts: 500, minDelay: 5, maxDelay: 20 },
  });
  await conn.write("to nc\n");
  assertEquals(await peer.line(), "to nc");
  await peer.type("from nc\n");
  assertEquals(await conn.readLine(), "from nc");
  await peer.endInput();
  assertEquals(await conn.readLine(), null);
});

ncTest("nc talks over a unix socket", limit, async () => {
  await using server = unix.serve({}, echo);
  await using peer = new Peer("nc", ["-N", "-U", (server.addr as Deno.UnixAddr).path]);
  await assertEchoed(peer);
});

ncatTest("ncat --ssl talks to a TLS server and checks its certificate", limit, async () => {
  await using server = tls.serve({}, echo);
  await using peer = new Peer("ncat", [
    "--ssl-verify",
    "--ssl-trustfile",
    tlsFiles.caPath,
    "localhost",
    `${portOf(server)}`,
  ]);
  await assertEchoed(peer);
});

ncatTest("connectTcp talks to a listening ncat --ssl", limit, async () => {
  const port = freePort();
  await using peer = new Peer("ncat", [
    "--ssl",
    "--ssl-cert",
    tlsFiles.certPath,
    "--ssl-key",
    tlsFiles.keyPath,
    "-l",
    "127.0.0.1",
    `${port}`,
  ]);
  await using conn = await connectTcp({
    port,
    tls: clientTls,
    retry: { attempts: 500, minDelay: 5, maxDelay: 20 },
  });
  await conn.write("to ncat\n");
  assertEquals(await peer.line(), "to ncat");
  await peer.type("from ncat\n");
  assertEquals(await conn.readLine(), "from ncat");
});

telnetTest("telnet talks to serveTcp in lines that end with CR LF", limit, async () => {
  await using server = tcp.serve({}, async (conn) => {
    await conn.write("who are you?\r\n");
    await conn.write(`hello ${await conn.readLine()}\r\n`);
  });
  await using peer = new Peer("telnet", ["127.0.0.1", `${portOf(server)}`], { stderr: "null" });
  await peer.shows("who are you?");
  await peer.type("telnet\n");
  await peer.shows("hello telnet");
  await peer.rest();
});

socatTest("socat talks over a unix socket, both ways round", limit, async () => {
  await using server = unix.serve({}, echo);
  const { path } = server.addr as Deno.UnixAddr;
  await using client = new Peer("socat", ["-", `UNIX-CONNECT:${path}`]);
  await assertEchoed(client);
  await client.endInput();
  await client.rest();

  await using _ = new Peer("socat", [`UNIX-LISTEN:${path}2,unlink-close=0`, "EXEC:tr a-z A-Z"]);
  await using conn = await connectTcp({
    path: `${path}2`,
    retry: { attempts: 500, minDelay: 5, maxDelay: 20 },
  });
  await conn.write("through socat");
  await conn.closeWrite();
  assertEquals(text(await readAll(conn)), "THROUGH SOCAT");
});

opensslTest("openssl s_client agrees on a protocol and sees the end", limit, async () => {
  await using server = tls.serve({}, async (conn) => {
    await conn.write(`hello ${await conn.readLine()}\n`);
  });
  await using peer = new Peer("openssl", [
    "s_client",
    "-quiet",
    "-verify_return_error",
    "-CAfile",
    tlsFiles.caPath,
    "-connect",
    `127.0.0.1:${portOf(server)}`,
  ], { stderr: "null" });
  await peer.type("openssl\n");
  assertEquals(await peer.line(), "hello openssl");
  assertEquals(await peer.rest(), "");
});
