/** The options of the program for files, and what it prints. @module */
import {
  type FileChecksum,
  type FileEntry,
  type FileProgress,
  FileTransferError,
  type FileTransferEvent,
  type FileTransferResult,
  type GetFileOptions,
} from "../apps/files/mod.ts";
import { RateLimited } from "../common/peer_report.ts";
import { formatAddr } from "../common/address.ts";
import { jsonLine, toPrintable } from "../common/escape.ts";
import { addressOf, addressOptions } from "./address.ts";
import { commands, operand, section, setting, toggle, UsageError } from "./arguments.ts";
import { onInterrupt, printData, type ProgramDescription, type Values } from "./program.ts";
import { readClientTls, tlsClientOptions, tlsServerOptions } from "./tls.ts";
import { count, file, name, oneOf, size } from "./values.ts";

/** The port of the tutorials for files. */
export const FILE_PORT = 9998;
/** Lines on requests that were answered, in a second: what people do, not what programs could. */
const DONE_PER_SECOND = 100;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
const CHECKSUMS = ["sha256", "crc32", "none"] as const;

const fields = {
  ...section("Arguments", {
    command: commands(["serve", "list", "get", "put"], "serve, list, get or put"),
    name: operand(name(), "what to serve, to list, to fetch or to store"),
  }),
  ...section("Options of all", { ...addressOptions(FILE_PORT), ...tlsServerOptions }),
  ...section("Options of serve", {
    hidden: toggle("--hidden", "show files whose names begin with a dot"),
    allowUpload: toggle("--allow-upload", "let clients store new files"),
    allowReplace: toggle("--allow-replace", "let clients also replace files"),
    quota: setting("--quota", size(), "what all uploads may add, such as 500M (default 1G)"),
    maxEntries: setting("--max-entries", count(1), "entries that are listed (default 100000)"),
  }),
  ...section("Options of list, get and put", {
    ...tlsClientOptions,
    json: toggle("--json", "list: one JSON object a line; get, put: the result as a JSON object"),
  }),
  ...section("Options of get and put", {
    output: setting("-o, --output", file(), "get: a path or a folder (default: its name, here)"),
    as: setting("--name", file("NAME"), "put: what the server shall call it (default: its name)"),
    force: toggle("--force", "replace a file that is there already"),
    checksum: setting("--checksum", oneOf(CHECKSUMS, "KIND"), "how to verify it (default sha256)"),
    restart: toggle("--restart", "get: do not resume an earlier download"),
    quiet: toggle("--quiet", "print errors only; serve: do not report transfers"),
  }),
};

/** What the program takes. */
export type FileValues = Values<typeof fields>;

/** How the program is described, without what it does. */
export const fileProgram: Omit<ProgramDescription<typeof fields>, "main"> = {
  name: "file_transfer.ts",
  summary: "Files over TCP: serves a folder, lists it, fetches from it, stores in it.",
  usage: [
    "serve DIR [options]",
    "list [FOLDER] [options]",
    "get NAME [options]",
    "put FILE [options]",
  ],
  fields,
  notes:
    `A download is verified before it gets its name. If it breaks, the same command resumes it, unless
the file has changed meanwhile. KIND is sha256, crc32 (faster, against accidents only) or none.`,
  examples: [
    "$0 serve ~/Public --hostname 0.0.0.0",
    "$0 get photos/2024/a.jpg --hostname 192.168.0.7 --output a.jpg",
    "$0 list --tls --ca ca.pem --hostname nas.example:9998",
  ],
};

/** The one argument of a command. */
export function nameOf({ name }: FileValues, missing: string): string {
  if (name === undefined) throw new UsageError(missing);
  if (name === "") throw new UsageError('NAME must be the name of a file, current value is ""');
  return name;
}

/** Where to connect, and how. */
export async function clientOptions(values: FileValues) {
  return { ...addressOf(values, FILE_PORT), tls: await readClientTls(values) };
}

/** The entries of a folder, for people or for programs. */
export function listOf(entries: readonly FileEntry[], { json }: FileValues): string {
  return entries.map(json ? jsonLine : rowOf).join("");
}

/** An entry as people read it. */
function rowOf({ name, size, modified, isFolder }: FileEntry): string {
  const time = modified?.toISOString().slice(0, 16).replace("T", " ") ?? "";
  const shown = isFolder ? "-" : formatSize(size);
  const called = `${toPrintable(name)}${isFolder ? "/" : ""}`;
  return `${shown.padStart(10)}  ${time.padEnd(16)}  ${called}\n`;
}

/** Says how many names cannot be shown. */
export function tellOmitted(count: number): void {
  const names = count === 1 ? "1 name is" : `${count} names are`;
  console.error(`${names} not shown: control characters, or no text`);
}

/** What getting and putting have in common: progress, the interrupt, the last line. */
export async function transfer(
  { command, json, quiet, checksum = "sha256" }: FileValues,
  run: (options: TransferOptions) => Promise<FileTransferResult>,
): Promise<void> {
  const interrupted = new AbortController();
  onInterrupt(() => interrupted.abort());
  const bar = !quiet && Deno.stderr.isTerminal() ? await progressBar() : undefined;
  const options = { signal: interrupted.signal, checksum, onProgress: bar?.update };
  const result = await run(options).finally(() => bar?.stop()).catch((error) => {
    if (interrupted.signal.aborted) {
      const put = "the server keeps nothing of it";
      const got = "what came is kept, the same command resumes it";
      console.error(`interrupted; ${command === "put" ? put : got}`);
      Deno.exit(130);
    }
    if (!(error instanceof FileTransferError) || error.kept === 0) throw error;
    const kept = `${formatSize(error.kept)} are kept, the same command resumes it`;
    throw new Error(`${error.message}; ${kept}`);
  });
  if (json) await printData(jsonLine(result));
  else if (!quiet) console.error(summary(result, checksum));
}

/** What {@linkcode transfer} adds to the options of a transfer. */
type TransferOptions = Pick<GetFileOptions, "signal" | "checksum" | "onProgress">;

function summary(
  { path, size, resumedFrom, bytes, duration, checksum }: FileTransferResult,
  kind: FileChecksum,
) {
  const rate = `${formatSize(bytes / duration * 1_000)}/s`;
  const resumed = resumedFrom > 0 ? `, resumed after ${formatSize(resumedFrom)}` : "";
  const proof = kind === "none" ? "not verified" : `${kind} ${checksum}`;
  return `${toPrintable(path)}: ${formatSize(size)}, ${rate}${resumed}, ${proof}`;
}

/** Tells of each request in one line, names of others made harmless. */
export function teller(): (event: FileTransferEvent) => void {
  const done = new RateLimited({}, DONE_PER_SECOND);
  const failures = new RateLimited(); // so that these do not hide the others
  return ({ verb, name, remoteAddr, bytes, duration, error }) => {
    const failed = error instanceof Error ? `: ${toPrintable(error.message)}` : "";
    const how = `${formatSize(bytes)} in ${(duration / 1_000).toFixed(1)} s${failed}`;
    const limit = error === undefined ? done : failures;
    limit.print(() =>
      `${formatAddr(remoteAddr)} ${verb} ${toPrintable(name.slice(0, 200))} ${how}`
    );
  };
}

/** Reports errors of the server itself; those of a request are in the line of the request. */
export function tellOfServer(error: unknown, conn?: unknown): void {
  if (conn !== undefined) return;
  console.error(toPrintable(error instanceof Error ? error.message : String(error)));
}

/** A bar with rate and time left, on stderr. */
async function progressBar() {
  const [{ default: progress }, { default: process }] = await Promise.all([
    import("cli-progress"),
    import("node:process"),
  ]);
  const bar = new progress.SingleBar({
    format: "{bar} {percentage}%  {done} of {all}  {rate}  {left} left",
    stream: process.stderr,
    hideCursor: true,
    barsize: 24,
  }, progress.Presets.rect);
  let begin: number | undefined;
  return {
    update({ size, bytes, resumedFrom }: FileProgress): void {
      const all = formatSize(size);
      const done = formatSize(bytes);
      if (begin === undefined) {
        if (bytes === size) return; // over before there was anything to watch
        begin = performance.now();
        bar.start(size, bytes, { done, all, rate: "…", left: "…" });
        return;
      }
      const rate = (bytes - resumedFrom) / (performance.now() - begin) * 1_000;
      const left = rate > 0 ? `${Math.ceil((size - bytes) / rate)} s` : "…";
      bar.update(bytes, { done, all, rate: `${formatSize(rate)}/s`, left });
    },
    stop(): void {
      if (begin !== undefined) bar.stop();
    },
  };
}

function formatSize(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}
