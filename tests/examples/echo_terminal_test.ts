/** What a server sends to the echo clients is shown by a terminal, not obeyed; a pipe gets every byte. */
import { assertEquals } from "@std/assert";
import { bindUdp, serveTcp } from "@tincan/net";
import { Terminal } from "../_util/terminal.ts";
import { testWith } from "../_util/peers.ts";
import { exampleArgs, run } from "./_run.ts";

const pythonTest = testWith("python3");

/** Clears the screen, sets the title, turns text around. */
const HOSTILE = "\x1b[2J\x1b]0;title\x07\u009b5A \u202egnp.exe \u4f60\r\nnext\n";
const SHOWN = ["\\x1b[2J\\x1b]0;title\\x07\\u{9b}5A \\u{202e}gnp.exe \u4f60", "next"];

async function compare(program: string, port: number): Promise<void> {
  const args = exampleArgs(program, ["client", "--port", `${port}`, "--message", "hi"]);
  await using terminal = new Terminal(Deno.execPath(), args);
  await terminal.endsWith(...SHOWN);
  assertEquals((await terminal.end()).code, 0);
  const { code, stdout } = await run(Deno.execPath(), args);
  assertEquals([code, stdout], [0, HOSTILE]);
}

pythonTest("tcp_echo client escapes what it shows on a terminal", { timeout: 60_000 }, async () => {
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    if (await conn.read(new Uint8Array(10)) !== null) await conn.write(HOSTILE);
  });
  await compare("tcp_echo.ts", server.addr.port);
});

pythonTest("udp_echo client escapes what it shows on a terminal", { timeout: 60_000 }, async () => {
  await using endpoint = await bindUdp({ port: 0 });
  const serving = (async () => {
    for await (const datagram of endpoint) await datagram.reply(HOSTILE);
  })();
  await compare("udp_echo.ts", endpoint.addr.port);
  await endpoint.close();
  await serving;
});
