/** What the program for web pages takes, and how it shows them. @module */
import {
  formatTrace,
  httpFailure,
  type HttpGetOptions,
  type HttpHead,
  type HttpResponse,
  type HttpTraceEvent,
  saveBody,
} from "../apps/http/mod.ts";
import { packedCodings } from "../apps/http/packed_names.ts";
import { readPem } from "./pem.ts";
import { jsonLine } from "../common/escape.ts";
import { operand, section, setting, settings, toggle, UsageError } from "./arguments.ts";
import { foreignPrinter, printData, type ProgramDescription, type Values } from "./program.ts";
import { count, file, seconds, text } from "./values.ts";

const fields = {
  ...section("Arguments", {
    url: operand(text("URL"), "what to fetch; http unless specified"),
  }),
  ...section("What to show", {
    output: setting("-o, --output", file(), "save the page there; - is stdout, as it is"),
    include: toggle("-i, --include", "print the heads of the responses too"),
    head: toggle("-I, --head", "ask for the head alone, and print it"),
    json: toggle("--json", "print the head and the size as one JSON object, not the page"),
    verbose: toggle("-v, --verbose", "show the wire both ways on stderr, control bytes escaped"),
  }),
  ...section("The request", {
    headers: settings("-H, --header", text("'N: V'"), "send this field, too; may be repeated"),
    noDecode: toggle("--no-decode", "ask for no compression, unpack nothing"),
    noFollow: toggle("--no-follow", "do not follow redirects"),
    maxRedirects: setting("--max-redirects", count(), "follow at most N redirects (default 20)"),
    allowDowngrade: toggle("--allow-downgrade", "follow redirects from https to http"),
    ca: setting("--ca, --cacert", file(), "trust the certificates in FILE (PEM) too"),
  }),
  ...section("Limits", {
    timeout: setting("--timeout", seconds(), "for connecting, the head, each piece (default 30)"),
    maxTime: setting("--max-time", seconds(), "for everything together (default: no limit)"),
    maxSize: setting("--max-size", count(0, "BYTES"), "refuse a larger page (default 1 TiB)"),
  }),
};

/** What the program takes. */
export type HttpValues = Values<typeof fields>;

/** How the program is described, without what it does. */
export const httpProgram: Omit<ProgramDescription<typeof fields>, "main"> = {
  name: "http_get.ts",
  summary: "Fetches a web page over a raw socket: resolves, connects, asks, and shows what comes.",
  usage: ["URL [options]"],
  fields,
  notes:
    `A user name and password in the URL are sent as Basic authentication. On a terminal the page is
shown in the encoding it names, with control characters escaped; a pipe or a file gets every byte
as it came. A file that is compressed itself (.gz, .tgz …) is never unpacked.

Failures begin with their kind: DNS, refused, unreachable, timeout, TLS, reset, malformed response,
too large, short body, bad encoding, bad redirect, redirect loop, too many redirects, status.`,
  exitCodes:
    "0 the page is here; 1 it failed, or the server answered with a status from 400 on (its\n" +
    "page is printed all the same, but never saved); 2 wrong usage; 130 interrupted",
  examples: [
    "$0 example.com --include",
    "$0 https://example.com/big.iso --output big.iso --max-time 3600",
  ],
};

/** The address of the page. */
export function urlOf({ url }: HttpValues): string {
  if (url === undefined) throw new UsageError("A URL is needed");
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
  if (!/^https?:/i.test(full) || !URL.canParse(full)) {
    throw new UsageError(`Cannot fetch "${url}": it is no http or https URL`);
  }
  return full;
}

/** How the page is fetched. */
export async function getOptions(values: HttpValues): Promise<HttpGetOptions> {
  const method: "GET" | "HEAD" = values.head ? "HEAD" : "GET";
  const { timeout = 30_000, maxTime: total = Infinity, maxSize, maxRedirects, ca } = values;
  const show = (event: HttpTraceEvent) => console.error(formatTrace(event).slice(0, -1));
  return {
    method,
    headers: values.headers.map(readHeader),
    // What is saved under the name of a compressed file should be one, whatever its address is.
    decode: !values.noDecode && packedCodings(values.output ?? "").length === 0,
    followRedirects: !values.noFollow,
    allowDowngrade: values.allowDowngrade,
    timeouts: { connect: timeout, head: timeout, idle: timeout, total },
    limits: { maxBodySize: maxSize, maxDecodedSize: maxSize },
    tls: { caCerts: ca === undefined ? undefined : [await readPem(ca)] },
    maxRedirects,
    onTrace: values.verbose ? show : undefined,
  };
}

function readHeader(text: string): [string, string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new UsageError(`Option --header must be 'Name: value', not "${text}"`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

/** The kinds of failure whose names are not words. */
const KINDS: Readonly<Record<string, string>> = {
  dns: "DNS",
  tls: "TLS",
  malformed: "malformed response",
};

/** A failure in the words of the program. */
export function inKinds(error: unknown): unknown {
  if (error instanceof TypeError) return new UsageError(error.message);
  const code = httpFailure(error);
  if (code === "other" || !(error instanceof Error)) return error;
  const kind = KINDS[code] ?? code.replaceAll("_", " ");
  return new Error(`${kind}: ${error.message}`, { cause: error });
}

/** Prints or saves a page, as the options say. */
export async function showPage(response: HttpResponse, values: HttpValues): Promise<void> {
  const { output, json: isJson, include, head: isHead } = values;
  const isRaw = output === "-";
  const print = isRaw ? printData : foreignPrinter(response.charset);
  if (!isJson && (include || isHead)) {
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
  const isUtf8 = !new TextDecoder().decode(raw).includes("\ufffd");
  const print = isRaw ? printData : foreignPrinter(isUtf8 ? "utf-8" : "windows-1252");
  await print(raw);
}

/** The head of a response, and how long its body was, for programs. */
function toJson(response: HttpResponse, size: number): string {
  const { url, head, redirects } = response;
  const trailers = [...response.trailers ?? []];
  const { version, status, reason, fields } = head;
  return jsonLine({
    ...{ url, version, status, reason, size },
    headers: headersOf(head),
    fields,
    trailers: trailers.length === 0 ? undefined : Object.fromEntries(trailers),
    redirects: redirects.map(({ url, head }) => ({ url, status: head.status })),
  });
}

/** The fields by name. Values of one name are joined as HTTP says; cookies cannot be, so they are a list. */
function headersOf({ headers }: HttpHead): Record<string, string | string[]> {
  const cookies = headers.getSetCookie();
  const others = Object.fromEntries(headers);
  return cookies.length === 0 ? others : { ...others, "set-cookie": cookies };
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
