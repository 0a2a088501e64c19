/** At a terminal: a stranger's control bytes are shown, not obeyed, and the peer's end is the end. */
import { assertEquals } from "@std/assert";
import { Terminal } from "../_util/terminal.ts";
import { testWith } from "../_util/peers.ts";
import { Shell, TINCAN } from "./_tincan.ts";

const pythonTest = testWith("python3");

const limit = { timeout: 60_000 };
const [deno = "", ...args] = TINCAN;

pythonTest("connect at a terminal escapes what comes, and ends with the peer", limit, async () => {
  await using server = new Shell("exec $TINCAN listen");
  await using terminal = new Terminal(deno, [...args, "connect", `${await server.port()}`]);
  await terminal.type("typed\n");
  await server.shows(/^typed\n$/);
  await server.type("\x1b[2Jhello\n");
  await terminal.endsWith("typed", "\\x1b[2Jhello");
  await server.endInput();
  assertEquals(await terminal.end(), { code: 0, restored: true });
  assertEquals((await server.end()).code, 0);
});

pythonTest("Ctrl-C at a terminal ends listen, and the terminal is as before", limit, async () => {
  await using terminal = new Terminal(deno, [...args, "listen"]);
  await terminal.until((rows) => rows.some((row) => row.startsWith("listening on ")));
  await terminal.type("\x03");
  assertEquals(await terminal.end(), { code: 130, restored: true });
});
