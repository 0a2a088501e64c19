// What framing/ may know, and what it shows.
import { assert, assertEquals, assertFalse } from "@std/assert";
import * as framing from "@tincan/net/framing";

const folder = new URL("../../framing/", import.meta.url);
const files = Array.from(Deno.readDirSync(folder), ({ name }) => name);

Deno.test("framing does no input or output and imports only what is below it", () => {
  for (const name of files) {
    const source = Deno.readTextFileSync(new URL(name, folder));
    const code = source.replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, "");
    assertFalse(/\bDeno\b/.test(code), name);
    assertFalse(/setTimeout|setInterval|Date\.|performance\./.test(code), name);
    for (const [, path] of code.matchAll(/from "([^"]+)"/g)) {
      assert(/^\.\/[a-z_0-9]+\.ts$/.test(path!) || path === "../errors.ts", `${name}: ${path}`);
    }
    if (!["frames.ts", "streams.ts"].includes(name)) {
      assertFalse(/\b(async|await|Promise)\b/.test(code), name);
    }
  }
});

Deno.test("framing has no import cycles", () => {
  const imports = new Map(files.map((name) => {
    const source = Deno.readTextFileSync(new URL(name, folder));
    const found = source.matchAll(/^(?:import|export)(?! type)[^;]*? from "\.\/([^"]+)"/gm);
    return [name, Array.from(found, ([, path]) => path!)];
  }));
  const visit = (name: string, path: readonly string[]) => {
    assertFalse(path.includes(name), [...path, name].join(" -> "));
    for (const next of imports.get(name)!) visit(next, [...path, name]);
  };
  for (const name of files) visit(name, []);
});

Deno.test("framing/mod.ts exports these names", () => {
  assertEquals(Object.keys(framing).sort(), [
    "DEFAULT_MAX_FRAME_LENGTH",
    "DEFAULT_MAX_LINE_LENGTH",
    "FrameDecoderStream",
    "FrameEncoderStream",
    "FrameError",
    "OutputBuffer",
    "checksummed",
    "cobs",
    "crc32",
    "delimited",
    "fixed",
    "frames",
    "json",
    "jsonLines",
    "lengthPrefixed",
    "lines",
    "mapped",
    "netstring",
    "slip",
    "text",
    "varintPrefixed",
  ]);
});
