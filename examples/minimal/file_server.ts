/**
 * Serves the files of a folder, read-only, to `file_download.ts`.
 *
 *     deno run -A examples/minimal/file_server.ts [--port 9998] FOLDER
 */
import { parseArgs } from "@std/cli/parse-args";
import { serveFiles } from "@tincan/net/files";

const { port, _: [folder = "."] } = parseArgs(Deno.args, { default: { port: 9998 } });

await serveFiles(String(folder), { port: Number(port) });
