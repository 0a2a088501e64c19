/** What a port says by itself is shown by a terminal, not obeyed. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { serveTcp } from "@tincan/net";
import { Terminal } from "../_util/terminal.ts";
import { testWith } from "../_util/peers.ts";
import { exampleArgs, runExample } from "./_run.ts";

const pythonTest = testWith("python3");

pythonTest("port_scan escapes banners, as a table and as JSON", { timeout: 60_000 }, async () => {
  await using server = serveTcp({ port: 0, onListen() {} }, async (conn) => {
    await conn.write("\x1b[2J\x1b]0;title\x07\u009b5A\u202e\n");
  });
  const { port } = server.addr;
  const args = ["127.0.0.1", "--ports", `${port}`, "--banner"];
  await using terminal = new Terminal(Deno.execPath(), exampleArgs("port_scan.ts", args), 200);
  await terminal.until((rows) =>
    rows.some((row) => row.endsWith(" \\x1b[2J\\x1b]0;title\\x07\\u{9b}5A\\u{202e}"))
  );
  assertEquals((await terminal.end()).code, 0);
  const { stdout } = await runExample("port_scan.ts", [...args, "--json"]);
  assertStringIncludes(stdout, '"banner":"\\\\x1b[2J\\\\x1b]0;title\\\\x07\\\\u{9b}5A\\\\u{202e}"');
});
