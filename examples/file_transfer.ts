/**
 * Serves the files of a folder, and fetches them: verified, and going on where a download broke off.
 *
 *     deno run -A examples/file_transfer.ts serve DIR           # serves DIR on 127.0.0.1:9998
 *     deno run -A examples/file_transfer.ts list
 *     deno run -A examples/file_transfer.ts get movie.mkv       # again, if it breaks: it goes on
 *     deno run -A examples/file_transfer.ts serve DIR --allow-upload
 *     deno run -A examples/file_transfer.ts put notes.txt
 *
 * Needs --allow-net, --allow-read, and --allow-write for what it writes.
 */
import {
  type FileChecksum,
  type FileEntry,
  type FileProgress,
  type FileServerOptions,
  FileTransferError,
  type FileTransferEvent,
  type FileTransferResult,
  getFile,
  type GetFileOptions,
  listFiles,
  putFile,
  type PutFileOptions,
  serveFiles,
} from "../apps/files/mod.ts";
import {
  onInterrupt,
  printData,
  type Program,
  type ProgramArguments,
  readCount,
  runProgram,
  serveUntilInterrupted,
  UsageError,
} from "../terminal/program.ts";
import { jsonLine } from "../common/escape.ts";
import { toPrintable } from "../common/escape.ts";

const HELP = `Files over TCP: serves a folder, lists it, fetches from it, stores in it.

Usage: file_transfer.ts serve DIR [options]
       file_transfer.ts list [FOLDER] [options]
       file_transfer.ts get NAME [options]
       file_transfer.ts put FILE [options]

A download is verified before it gets its name. If it breaks, the same command
goes on where it stopped, unless the file has changed meanwhile.

Options of all:
  --hostname NAME   address to listen on or to connect to (default 127.0.0.1)
  --port NUMBER     port; 0 lets the system choose when serving (default 9998)
  --help            show this text

Options of serve:
  --hidden          show files whose names begin with a dot
  --allow-upload    let clients store new files
  --allow-replace   let clients replace files, too
  --quota SIZE      what all uploads together may add, such as 500M (default 1G)
  --max-entries N   entries of a folder that can be listed (default 100000)
  --quiet           don't tell what is transferred

Options of list:
  --json            one JSON object a line

Options of get and put:
  --output FILE     get: where the file goes, a path or a folder (default: its name, here)
  --name NAME       put: what the server shall call it (default: its name)
  --force           replace a file that is there already
  --checksum KIND   sha256, crc32 (faster, against accidents only) or none (default sha256)
  --restart         get: don't go on where an earlier download broke off
  --json            tell the result as a JSON object on the standard output
  --quiet           say nothing but errors

Examples:
  file_transfer.ts serve ~/Public --hostname 0.0.0.0
  file_transfer.ts get photos/2024/a.jpg --hostname 192.168.0.7 --output a.jpg
`;

const DEFAULT_PORT = 9998;
/** Lines on requests that were answered, in a second: what people do, not what programs could. */
const DONE_PER_SECOND = 100;
/** Lines on requests that failed, in a second: clients cause them, and could fill a disk with them. */
const FAILED_PER_SECOND = 10;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** What it is called, understands and does. */
export const program: Program = {
  name: "file_transfer.ts",
  help: HELP,
  commands: ["serve", "list", "get", "put"],
  operands: true,
  string: ["hostname", "port", "quota", "max-entries", "output", "name", "checksum"],
  boolean: ["hidden", "allow-upload", "allow-replace", "quiet", "json", "force", "restart"],
  values: { checksum: ["sha256", "crc32", "none"] },
  main(args) {
    switch (args.command) {
      case "list":
        return list(args);
      case "get":
        return get(args);
      case "put":
        return put(args);
      default:
        return serve(args);
    }
  },
};

async function serve(args: ProgramArguments): Promise<void> {
  const directory = operand(args, "serve needs a folder: serve DIR");
  const replace = args.flag("allow-replace");
  const quota = readSize(args, "quota", 1024 ** 3);
  const maxEntries = readCount(args, "max-entries", 1);
  const options: FileServerOptions = {
    ...args.address(DEFAULT_PORT),
    limits: { maxEntries },
    hidden: args.flag("hidden"),
    ...(args.flag("allow-upload") || replace ? { upload: { quota, replace } } : {}),
    ...(args.flag("quiet") ? {} : { onTransfer: teller(), onError: tellOfServer }),
  };
  await serveUntilInterrupted(() => serveFiles(directory, options));
}

async function list(args: ProgramArguments): Promise<void> {
  onInterrupt(() => Deno.exit(130));
  const folder = operand(args, undefined);
  const options = { ...args.address(DEFAULT_PORT, 1), folder, onOmitted: tellOmitted };
  const entries = await listFiles(options);
  const format = args.flag("json") ? jsonLine : rowOf;
  await printData(entries.map(format).join(""));
}

/** An entry as people read it. */
function rowOf({ name, size, modified, isFolder }: FileEntry): string {
  const time = modified?.toISOString().slice(0, 16).replace("T", " ") ?? "";
  const shown = isFolder ? "-" : formatSize(size);
  const called = `${toPrintable(name)}${isFolder ? "/" : ""}`;
  return `${shown.padStart(10)}  ${time.padEnd(16)}  ${called}\n`;
}

function tellOmitted(count: number): void {
  const names = count === 1 ? "1 name is" : `${count} names are`;
  console.error(`${names} not shown: control characters, or no text`);
}

async function get(args: ProgramArguments): Promise<void> {
  const name = operand(args, "get needs a name: get NAME");
  const output = notEmpty(args, "output");
  if (output === "-") {
    throw new UsageError("Option --output must be a file: it is verified before it gets its name");
  }
  await transfer(args, (options) =>
    getFile(name, {
      ...options,
      ...(output === undefined ? {} : { output }),
      resume: !args.flag("restart"),
    }));
}

async function put(args: ProgramArguments): Promise<void> {
  const path = operand(args, "put needs a file: put FILE");
  const name = notEmpty(args, "name");
  await transfer(
    args,
    (options) => putFile(path, name === undefined ? options : { ...options, name }),
  );
}

/** What getting and putting have in common: progress, the interrupt, the last line. */
async function transfer(
  args: ProgramArguments,
  run: (options: TransferOptions) => Promise<FileTransferResult>,
): Promise<void> {
  const interrupted = new AbortController();
  onInterrupt(() => interrupted.abort());
  const options = transferOptions(args, interrupted.signal);
  const isShown = !args.flag("quiet") && Deno.stderr.isTerminal();
  const bar = isShown ? await progressBar() : undefined;
  let result: FileTransferResult;
  try {
    result = await run(bar === undefined ? options : { ...options, onProgress: bar.update });
  } catch (error) {
    bar?.stop();
    if (interrupted.signal.aborted) {
      console.error(
        args.command === "put"
          ? "interrupted; the server keeps nothing of it"
          : "interrupted; what came is kept, the same command goes on from there",
      );
      Deno.exit(130);
    }
    if (!(error instanceof FileTransferError) || error.kept === 0) throw error;
    const kept = `${formatSize(error.kept)} are kept, the same command goes on from there`;
    throw new Error(`${error.message}; ${kept}`);
  }
  bar?.stop();
  if (args.flag("json")) await printData(jsonLine(result));
  else if (!args.flag("quiet")) console.error(summary(result, options.checksum));
}

function transferOptions(args: ProgramArguments, signal: AbortSignal): TransferOptions {
  const checksum = args.text("checksum") ?? "sha256";
  if (checksum !== "sha256" && checksum !== "crc32" && checksum !== "none") {
    throw new UsageError(
      `Option --checksum must be sha256, crc32 or none, current value is "${checksum}"`,
    );
  }
  return { ...args.address(DEFAULT_PORT, 1), signal, force: args.flag("force"), checksum };
}

/** What `getFile` and `putFile` both take. */
type TransferOptions = GetFileOptions & PutFileOptions & { checksum: FileChecksum };

/** The value of an option that names a file. */
function notEmpty(args: ProgramArguments, name: string): string | undefined {
  const text = args.text(name);
  if (text === "") throw new UsageError(`Option --${name} must name a file, current value is ""`);
  return text;
}

/** The one argument of a command. */
function operand(args: ProgramArguments, missing: string | undefined): string {
  const [first, second] = args.rest;
  if (second !== undefined) throw new UsageError(`Unexpected argument "${second}"`);
  if (!first && missing !== undefined) throw new UsageError(missing);
  return first ?? "";
}

function summary(
  { path, size, resumedFrom, bytes, duration, checksum }: FileTransferResult,
  kind: FileChecksum,
) {
  const rate = `${formatSize(bytes / duration * 1_000)}/s`;
  const resumed = resumedFrom > 0 ? `, went on behind ${formatSize(resumedFrom)}` : "";
  const proof = kind === "none" ? "not verified" : `${kind} ${checksum}`;
  return `${toPrintable(path)}: ${formatSize(size)}, ${rate}${resumed}, ${proof}`;
}

/** Tells of each request in one line, names of others made harmless. */
function teller(): (event: FileTransferEvent) => void {
  const done = new LineLimit(DONE_PER_SECOND);
  const failures = new LineLimit(FAILED_PER_SECOND); // so that these do not hide the others
  return ({ verb, name, remoteAddr, bytes, duration, error }) => {
    const peer = "hostname" in remoteAddr ? `${remoteAddr.hostname}:${remoteAddr.port}` : "?";
    const failed = error instanceof Error ? `: ${toPrintable(error.message)}` : "";
    const how = `${formatSize(bytes)} in ${(duration / 1_000).toFixed(1)} s${failed}`;
    const limit = error === undefined ? done : failures;
    limit.print(`${peer} ${verb} ${toPrintable(name.slice(0, 200))} ${how}`);
  };
}

/** What goes wrong with the server itself; what goes wrong with a request is told with the request. */
function tellOfServer(error: unknown, conn?: unknown): void {
  if (conn !== undefined) return;
  console.error(toPrintable(error instanceof Error ? error.message : String(error)));
}

/** Prints a number of lines in each second, and how many it left out. */
class LineLimit {
  readonly #most: number;
  #shown = 0;
  #hidden = 0;
  #isCounting = false;

  constructor(most: number) {
    this.#most = most;
  }

  print(line: string): void {
    if (this.#shown++ < this.#most) console.error(line);
    else this.#hidden++;
    if (this.#isCounting) return;
    this.#isCounting = true;
    setTimeout(() => this.#next(), 1_000);
  }

  #next(): void {
    if (this.#hidden > 0) console.error(`${this.#hidden} more like this are not shown`);
    this.#shown = this.#hidden = 0;
    this.#isCounting = false;
  }
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

/** Reads a size such as `500M`. */
function readSize(args: ProgramArguments, name: string, fallback: number): number {
  const text = args.text(name);
  if (text === undefined) return fallback;
  const [, digits, unit = ""] = /^(\d{1,12})([KMGT]?)$/i.exec(text) ?? [];
  if (digits === undefined) {
    throw new UsageError(
      `Option --${name} must be a size such as 500M, current value is "${text}"`,
    );
  }
  return Number(digits) * 1024 ** " KMGT".indexOf(unit.toUpperCase() || " ");
}

if (import.meta.main) await runProgram(program);
