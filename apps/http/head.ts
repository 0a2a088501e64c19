/**
 * The head of a response: status line and fields (RFC 9112 sections 4 and 5), and what they say about
 * the length of the body (section 6.3).
 *
 * @module
 */
import { FrameError } from "../../errors.ts";
import { fromLatin1, quote } from "./_text.ts";

/** The head of a response, as it was sent. */
export interface HttpHead {
  /** The version, such as `"1.1"`. */
  readonly version: string;
  /** The status code, from 100 to 999. */
  readonly status: number;
  /** The server's words for the status, often empty. Not to be trusted. */
  readonly reason: string;
  /** The fields. Values are ISO 8859-1: each byte is the character with its number. */
  readonly headers: Headers;
  /**
   * The fields one by one, in the order and with the names as they were sent. `headers` joins those of
   * one name with a comma, which is not what all of them mean.
   */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Every byte of the head, its empty line included. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

/**
 * The parts of a response, in the order in which they come: any number of interim heads (1xx), the
 * head, the body in pieces as they arrived, the end with what stood in the trailer section.
 */
export type HttpPart =
  | { readonly type: "interim"; readonly head: HttpHead }
  | { readonly type: "head"; readonly head: HttpHead }
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly trailers: Headers };

/** Where a body ends: after so many bytes, after its last chunk, or when the connection is closed. */
export type BodyEnd = number | "last chunk" | "close";

const STATUS_LINE = /^HTTP\/(\d)\.(\d) ([1-9]\d\d)(?: (.*))?$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * Reads a head.
 *
 * @param bytes All of it, with the empty line at its end.
 * @throws {FrameError} `corrupt` if it is none, `too_long` if it has too many fields.
 */
export function parseHead(bytes: Uint8Array, maxFields: number): HttpHead {
  const [statusLine = "", ...lines] = fromLatin1(bytes).split(/\r?\n/).slice(0, -2);
  const [, major, minor, status, reason = ""] = STATUS_LINE.exec(statusLine) ?? [];
  if (status === undefined || CONTROL.test(statusLine)) {
    throw corrupt(`${quote(statusLine)} is no status line`);
  }
  if (major !== "1") throw corrupt(`HTTP/${major}.${minor} is not spoken here`);
  const fields = parseFields(lines, maxFields);
  return {
    version: `${major}.${minor}`,
    status: Number(status),
    reason,
    headers: new Headers(fields as [string, string][]),
    fields,
    raw: new Uint8Array(bytes),
  };
}

/** Reads the lines of a head or a trailer section. A folded line is joined with a space. */
export function parseFields(lines: readonly string[], maxFields: number): [string, string][] {
  const fields: [string, string][] = [];
  for (let index = 0; index < lines.length; index++) {
    let line = lines[index] ?? "";
    while (/^[ \t]/.test(lines[index + 1] ?? "")) {
      line = `${line.trimEnd()} ${lines[++index]?.trimStart()}`;
    }
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const value = trimBlanks(line.slice(colon + 1));
    if (!FIELD_NAME.test(name)) throw corrupt(`${quote(line)} is no field`);
    if (CONTROL.test(value)) throw corrupt(`the field ${quote(line)} has a control character`);
    if (fields.length >= maxFields) {
      const message = `it has more than ${maxFields} fields`;
      throw new FrameError("too_long", message, { limit: maxFields });
    }
    fields.push([name, value]);
  }
  return fields;
}

function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** Whether a body follows a head at all (RFC 9110 section 6.4.1). */
export function hasBody({ status }: HttpHead, method: "GET" | "HEAD"): boolean {
  return method !== "HEAD" && status >= 200 && status !== 204 && status !== 304;
}

/**
 * Where the body ends. What could be understood in two ways is refused: that is how responses are
 * smuggled past a reader that takes the other way.
 *
 * @throws {FrameError} `corrupt` if the fields do not say it clearly.
 */
export function bodyEnd(head: HttpHead, method: "GET" | "HEAD"): BodyEnd {
  const { headers, version } = head;
  if (!hasBody(head, method)) return 0;
  const coding = headers.get("transfer-encoding");
  const length = headers.get("content-length");
  if (coding !== null) {
    if (length !== null) throw corrupt("it has both a Transfer-Encoding and a Content-Length");
    if (version === "1.0") throw corrupt("HTTP/1.0 has no Transfer-Encoding");
    if (coding.toLowerCase() !== "chunked") {
      throw corrupt(`it has the Transfer-Encoding ${quote(coding)}, which was not asked for`);
    }
    return "last chunk";
  }
  return length === null ? "close" : parseLength(length);
}

/** A length, which may be given several times if it is always the same (RFC 9110 section 8.6). */
function parseLength(value: string): number {
  const [first = "", ...others] = value.split(",").map(trimBlanks);
  const length = /^\d+$/.test(first) ? Number(first) : NaN;
  if (!Number.isSafeInteger(length) || others.some((other) => other !== first)) {
    throw corrupt(`${quote(value)} is no Content-Length`);
  }
  return length;
}

/** The error of a broken response; the decoder puts in front what it was reading. */
export function corrupt(reason: string): FrameError {
  return new FrameError("corrupt", reason);
}
