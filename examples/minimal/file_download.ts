/**
 * Downloads a file by its name: whole and verified, or nothing and an error that says why.
 *
 *     deno run -A examples/minimal/file_download.ts [--port 9998] NAME
 */
import { parseArgs } from "@std/cli/parse-args";
import { getFile } from "@tincan/net/files";

const { port, output = ".", _: [name = ""] } = parseArgs(Deno.args, {
  string: ["output"],
  default: { port: 9998 },
});

const { path, size } = await getFile(String(name), { port: Number(port), output: String(output) });
console.log(`${path}: ${size} bytes`);
