/** Each command of docs/tincan.md runs, and prints what the page says. */
import { assert, assertEquals } from "@std/assert";
import { type Block, blockOf, readPage } from "../docs/_page.ts";
import { peersIn, testWith } from "../_util/peers.ts";
import { freePort } from "../_util/ports.ts";
import { optionsOf, parserOf } from "../../terminal/arguments.ts";
import { inFolder, shell, TINCAN } from "./_tincan.ts";

const page = await readPage("docs/tincan.md");

const COMMANDS = [
  blockOf(page, "help"),
  blockOf(page, "echo-udp"),
  blockOf(page, "copy"),
  blockOf(page, "unix"),
  blockOf(page, "ask"),
  blockOf(page, "keep-open"),
  blockOf(page, "messages"),
  blockOf(page, "json"),
  blockOf(page, "hex"),
  blockOf(page, "tls"),
  blockOf(page, "udp"),
];

/** A script with ports that are free, which waits until what it starts beside itself is listening. */
function toScript({ code }: Block): string {
  const ports = new Map<string, string>();
  const free = code.replaceAll(/\b[79]\d{3}\b/g, (port) => {
    if (!ports.has(port)) ports.set(port, `${freePort()}`);
    return ports.get(port) ?? "";
  });
  const [port = ""] = ports.values();
  const ready =
    `until [ -S tincan.sock ] || [ "$(ss -Hlnut "sport = :${port}")" ]; do sleep 0.02; done`;
  return free.replaceAll(
    /&\n/g,
    (end) =>
      `${end}begun="$begun $!"\n` +
      (port === "" ? "until [ -S tincan.sock ]; do sleep 0.02; done\n" : `${ready}\n`),
  );
}

for (const [index, block] of page.blocks.entries()) {
  if (!COMMANDS.includes(block.code)) continue;
  const next = page.blocks[index + 1];
  const expected = next?.language === "text" ? next.code : undefined;
  testWith("ss", ...peersIn(block.code))(
    `docs/tincan.md, line ${block.line}`,
    { timeout: 60_000 },
    () =>
      inFolder(async (folder) => {
        const command = TINCAN.map((word) => `'${word}'`).join(" ");
        await Deno.writeTextFile(`${folder}/tincan`, `#!/bin/sh\nexec ${command} "$@"\n`, {
          mode: 0o755,
        });
        const script = `cd "$1"; PATH=$1:$PATH
begun=
trap 'kill $begun 2>/dev/null || true; wait || true' EXIT
set -e
${toScript(block)}`;
        const { code, stdout, stderr } = await shell(script, folder);
        assertEquals(code, 0, stderr);
        if (expected === undefined) assert((stdout + stderr).length > 0);
        else assertEquals(stdout, expected, stderr);
      }),
  );
}

Deno.test("docs/tincan.md names every option of connect and listen that tells them from nc", async () => {
  const { talkFields, whereFields } = await import("../../cli/options.ts");
  const fields = { ...whereFields, ...talkFields };
  for (const { names } of optionsOf(parserOf(fields).usage)) {
    const name = names.at(-1) ?? "";
    assert(page.text.includes(name), `${name} is not in the page`);
  }
});
