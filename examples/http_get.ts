/**
 * A web page over a raw socket, and every step of it to look at.
 *
 *     deno run -A examples/http_get.ts http://example.com/              # the page on stdout
 *     deno run -A examples/http_get.ts -v http://example.com/           # and the wire on stderr
 *     deno run -A examples/http_get.ts https://example.com/ --output page.html
 *
 * Needs --allow-net, and with --output or --cacert --allow-read and --allow-write.
 */
import {
  formatTrace,
  type HttpFailure,
  httpFailure,
  httpGet,
  type HttpGetOptions,
  type HttpHead,
  type HttpResponse,
  type HttpTraceEvent,
  saveBody,
} from "../apps/http/mod.ts";
import { packedCodings } from "../apps/http/packed_names.ts";
import { jsonLine } from "../common/escape.ts";
import { readPem } from "../terminal/pem.ts";
import {
  abortOnInterrupt,
  foreignPrinter,
  printData,
  type Program,
  type ProgramArguments,
  readCount,
  readSeconds,
  runProgram,
  UsageError,
} from "../terminal/program.ts";

const HELP = `Fetches a web page over a raw socket: resolves, connects, asks, and shows what comes.

Usage: http_get.ts URL [options]

Options:
  -o, --output FILE      save the page as FILE when it has come whole; - is stdout, as it is
  -i, --include          print the heads of the responses too
  -I, --head             ask for the head alone, and print it
      --json             instead of the page, print its head and size as one JSON object;
                         headers has the values by name, fields each field as it was sent
  -v, --verbose          show the wire both ways on stderr, control bytes escaped
  -H, --header 'N: V'    send this field besides or instead of ours; may be given several times
      --no-decode        ask for no compression, unpack nothing: the body as it was sent
      --no-follow        do not follow redirects
      --max-redirects N  follow at most N redirects (default 20)
      --allow-downgrade  follow redirects from https to http
      --cacert FILE      trust the certificates in FILE (PEM) too
      --timeout SECONDS  give up when connecting, the head, or the next piece of the body takes
                         longer (default 30)
      --max-time SECONDS  give up when everything together takes longer (default: no limit)
      --max-size BYTES   refuse a larger page (default 1 TiB; 1 GiB if it was compressed)
  -h, --help             show this text

A URL without http:// or https:// is taken for http. A user name and password in it are sent as
Basic authentication. On a terminal the page is shown in the encoding it names, with control
characters escaped; a pipe or a file gets every byte as it came. A file that is compressed itself
(.gz, .tgz …) is never unpacked.

Exit codes: 0 the page is here; 1 it failed, or the server answered with a status from 400 on (its
page is printed all the same, but never saved); 2 wrong usage; 130 interrupted.
Failures begin with their kind: DNS, refused, unreachable, time-out, TLS, reset, malformed response,
too large, short body, bad encoding, bad redirect, redirect loop, too many redirects, status.

Examples:
  http_get.ts example.com --include
  http_get.ts https://example.com/big.iso --output big.iso --max-time 3600
`;

/** How long it may take to remove an unfinished file when interrupted, in milliseconds. */
const CLEANUP_TIME = 2_000;

/** The kinds of failure in the words of people. */
const KINDS = new Map<HttpFailure, string>([
  ["dns", "DNS"],
  ["refused", "refused"],
  ["unreachable", "unreachable"],
  ["timeout", "time-out"],
  ["tls", "TLS"],
  ["reset", "reset"],
  ["malformed", "malformed response"],
  ["too_large", "too large"],
  ["short_body", "short body"],
  ["bad_encoding", "bad encoding"],
  ["bad_redirect", "bad redirect"],
  ["redirect_loop", "redirect loop"],
  ["too_many_redirects", "too many redirects"],
  ["permission", "permission"],
]);

/** What it is called, understands and does. */
export const program: Program = {
  name: "http_get.ts",
  help: HELP,
  string: ["output", "max-redirects", "cacert", "timeout", "max-time", "max-size"],
  collect: ["header"],
  boolean: ["include", "head", "json", "verbose", "no-decode", "no-follow", "allow-downgrade"],
  alias: { output: "o", include: "i", head: "I", verbose: "v", header: "H" },
  main: fetchPage,
};

async function fetchPage(args: ProgramArguments): Promise<void> {
  const interrupted = abortOnInterrupt({ within: CLEANUP_TIME });
  const url = readUrl(args);
  if (args.text("output") === "") throw new UsageError("Option --output needs a file name, or -");
  const options = await readOptions(args);
  try {
    await using response = await httpGet(url, { ...options, signal: interrupted });
    await show(response, args);
  } catch (error) {
    if (interrupted.aborted) Deno.exit(130);
    if (error instanceof TypeError) throw new UsageError(error.message);
    const kind = KINDS.get(httpFailure(error));
    if (kind === undefined || !(error instanceof Error)) throw error;
    throw new Error(`${kind}: ${error.message}`, { cause: error });
  }
}

async function show(response: HttpResponse, args: ProgramArguments): Promise<void> {
  const output = args.text("output");
  const isRaw = output === "-";
  const print = isRaw ? printData : foreignPrinter({ encoding: response.charset });
  const isJson = args.flag("json");
  if (!isJson && (args.flag("include") || args.flag("head"))) {
    for (const { head } of [...response.redirects, response]) await printHead(head, isRaw);
  }
  const isFailure = response.status >= 400;
  let size = 0;
  if (output === undefined || isRaw) {
    for await (const piece of response) {
      size += piece.length;
      if (!isJson) await print(piece);
    }
  } else if (!isFailure) {
    size = await saveBody(response, output, { onProgress: progressOf(response) });
    if (Deno.stderr.isTerminal()) console.error(`\r\x1b[Ksaved ${output}`);
  }
  if (isJson) await printData(toJson(response, size));
  if (isFailure) {
    const { status, head: { reason }, url } = response;
    throw new Error(`status: ${status} ${reason.replace(/[^ -~]/g, "?")} for ${url}`);
  }
}

/** Prints a head as it came; to a terminal in UTF-8, or else in ISO 8859-1, as old servers have it. */
async function printHead({ raw }: HttpHead, isRaw: boolean): Promise<void> {
  const print = isRaw ? printData : foreignPrinter({ encoding: encodingOf(raw) });
  await print(raw);
}

function encodingOf(bytes: Uint8Array): "utf-8" | "windows-1252" {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return "utf-8";
  } catch {
    return "windows-1252";
  }
}

/** The head of a response, and how long its body was, for programs. */
function toJson(response: HttpResponse, size: number): string {
  const { url, head, redirects, trailers } = response;
  const { version, status, reason, fields } = head;
  return jsonLine({
    ...{ url, version, status, reason, size },
    headers: headersOf(head),
    fields,
    ...(hasFields(trailers) ? { trailers: Object.fromEntries(trailers) } : {}),
    redirects: redirects.map(({ url, head }) => ({ url, status: head.status })),
  });
}

function hasFields(headers: Headers | undefined): headers is Headers {
  return headers !== undefined && !headers.keys().next().done;
}

/** The fields by name. Values of one name are joined as HTTP says; cookies cannot be, so they are a list. */
function headersOf({ headers }: HttpHead): Record<string, string | string[]> {
  const cookies = headers.getSetCookie();
  return {
    ...Object.fromEntries(headers),
    ...(cookies.length === 0 ? {} : { "set-cookie": cookies }),
  };
}

/** Shows on a terminal how far it has got, a few times a second. */
function progressOf(response: HttpResponse): (bytes: number) => void {
  if (!Deno.stderr.isTerminal()) return () => {};
  const isPacked = response.headers.has("content-encoding");
  const total = isPacked ? 0 : Number(response.headers.get("content-length"));
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  let next = 0;
  return (bytes) => {
    if (performance.now() < next) return;
    next = performance.now() + 200;
    const text = total > 0 ? `${megabytes(bytes)} of ${megabytes(total)}` : megabytes(bytes);
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  };
}

function readUrl({ rest }: ProgramArguments): string {
  const [url, ...others] = rest;
  if (url === undefined) throw new UsageError("A URL is needed");
  if (others.length > 0) throw new UsageError(`Unexpected argument "${others[0]}"`);
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
  if (!/^https?:/i.test(full) || !URL.canParse(full)) {
    throw new UsageError(`Cannot fetch "${url}": it is no http or https URL`);
  }
  return full;
}

async function readOptions(args: ProgramArguments): Promise<HttpGetOptions> {
  const wait = readSeconds(args, "timeout") ?? 30_000;
  const total = readSeconds(args, "max-time") ?? Infinity;
  const maxSize = readCount(args, "max-size");
  const maxRedirects = readCount(args, "max-redirects");
  const cacert = args.text("cacert");
  return {
    method: args.flag("head") ? "HEAD" : "GET",
    headers: args.texts("header").map(readHeader),
    // What is saved under the name of a compressed file should be one, whatever its address is.
    decode: !args.flag("no-decode") && packedCodings(args.text("output") ?? "").length === 0,
    followRedirects: !args.flag("no-follow"),
    allowDowngrade: args.flag("allow-downgrade"),
    timeouts: { connect: wait, head: wait, idle: wait, total },
    limits: maxSize === undefined ? {} : { maxBodySize: maxSize, maxDecodedSize: maxSize },
    tls: cacert === undefined ? {} : { caCerts: [await readPem(cacert)] },
    ...(maxRedirects === undefined ? {} : { maxRedirects }),
    ...(args.flag("verbose") ? { onTrace: showWire } : {}),
  };
}

function showWire(event: HttpTraceEvent): void {
  console.error(formatTrace(event).slice(0, -1));
}

function readHeader(text: string): [string, string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new UsageError(`Option --header must be 'Name: value', not "${text}"`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

if (import.meta.main) await runProgram(program);
