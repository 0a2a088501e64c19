/**
 * The lines on the wire; docs/files.md describes them. Nothing here does input or output.
 *
 * @module
 */
import { toPrintable } from "../../common/escape.ts";
import { CHECKSUMS, type FileChecksum, NOTHING } from "./_digest.ts";
import { checkName, faultOf, MAX_NAME_LENGTH } from "./_names.ts";
import { FileTransferError, type FileTransferErrorCode } from "./errors.ts";

/** The longest line: the longest name, and what stands before it. */
export const MAX_LINE_LENGTH = MAX_NAME_LENGTH + 256;

/** What a client may ask. */
export type FileRequest =
  | { verb: "LIST"; folder: string }
  | { verb: "GET"; offset: number; tag: string; checksum: FileChecksum; name: string }
  | { verb: "PUT"; size: number; replace: boolean; checksum: FileChecksum; name: string };

/** What a server answers: how many bytes follow, from where, and of which state of the file. */
export interface Answer {
  /** The size of the whole file. */
  size: number;
  /** The first byte that follows. */
  offset: number;
  /** Stands for this very state of the file; `-` if the server has no such thing. */
  tag: string;
}

/** What a folder on a server holds. */
export interface FileEntry {
  /** Its name, without the folder's. It comes over the wire: escape it before you show it. */
  readonly name: string;
  /** Its size in bytes; 0 for a folder. */
  readonly size: number;
  /** When it was changed last; `null` if the server does not know. */
  readonly modified: Date | null;
  /** Whether it is a folder. */
  readonly isFolder: boolean;
}

/** The codes a server may refuse with, and what they mean to the user, whose own name is put in
 * front. What the server says about it is not shown. */
const REFUSALS = new Map<FileTransferErrorCode, string>([
  ["not_found", "no such file"],
  ["not_a_file", "it is not a regular file"],
  ["not_readable", "the server may not read it"],
  ["bad_name", "the server does not take such a name"],
  ["bad_request", "the server does not understand the request"],
  ["forbidden", "the server does not allow it"],
  ["exists", "the server has a file of that name"],
  ["quota", "the server takes no more"],
  ["too_many", "it holds too many entries to be listed"],
  ["busy", "the server has too much to do, try again later"],
  ["too_slow", "it went too slowly for the server"],
  ["changed", "the file changed while it was sent"],
  ["checksum", "the server got something else than was sent"],
  ["disk", "the server cannot write it"],
]);

/** How much of an unknown refusal is shown. */
const MAX_SHOWN = 200;

const NUMBER = /^\d{1,16}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
const OMITTED = /^omitted\.(\d{1,9})$/;
/** What stands for a state of a file. */
export const TAG = /^[0-9A-Za-z._-]{1,64}$/;
const CODE = /^[a-z_]{1,32}$/;

/** The line of a request. */
export function formatRequest(request: FileRequest): string {
  switch (request.verb) {
    case "LIST":
      return request.folder === "" ? "LIST\n" : `LIST ${checkName(request.folder)}\n`;
    case "GET": {
      const { offset, tag, checksum, name } = request;
      return `GET ${offset} ${tag} ${checksum} ${checkName(name)}\n`;
    }
    case "PUT": {
      const { size, replace, checksum, name } = request;
      return `PUT ${size} ${replace ? "replace" : "new"} ${checksum} ${checkName(name)}\n`;
    }
  }
}

/**
 * Reads the line of a request. The name is the rest of the line, so it may hold spaces.
 *
 * @throws {FileTransferError} With the code `bad_request`.
 */
export function parseRequest(line: string): FileRequest {
  const [verb, rest] = cut(line);
  if (verb === "LIST") return { verb, folder: rest };
  const [first, afterFirst] = cut(rest);
  const [second, afterSecond] = cut(afterFirst);
  const [third, name] = cut(afterSecond);
  const number = parseNumber(first);
  const checksum = CHECKSUMS.find((known) => known === third);
  if (!Number.isNaN(number) && checksum !== undefined) {
    if (verb === "GET" && TAG.test(second)) {
      return { verb, offset: number, tag: second, checksum, name };
    }
    if (verb === "PUT" && (second === "new" || second === "replace")) {
      return { verb, size: number, replace: second === "replace", checksum, name };
    }
  }
  throw new FileTransferError(
    "bad_request",
    'Expected "GET OFFSET TAG CHECKSUM NAME", "PUT SIZE MODE CHECKSUM NAME" or "LIST FOLDER"',
  );
}

/** The line before the bytes. */
export function formatAnswer({ size, offset, tag }: Answer): string {
  return `OK ${size} ${offset} ${tag}\n`;
}

/** The line after the bytes: their checksum. */
export function formatTrailer(checksum: string): string {
  return `OK ${checksum}\n`;
}

/** The line that refuses, in the place of an answer or a trailer. It reveals nothing of this machine. */
export function formatRefusal(error: unknown): string {
  const code = error instanceof FileTransferError ? error.code : "failed";
  const reason = REFUSALS.get(code);
  if (reason === undefined) return "NO failed the server failed\n";
  return `NO ${code} ${code === "bad_request" ? (error as Error).message : reason}\n`;
}

/**
 * Reads the line of an answer.
 *
 * @param action What was asked for, for the message: `Cannot get "a.txt"`.
 * @throws {FileTransferError} If the server refuses, or with the code `protocol`.
 */
export function parseAnswer(line: string | null, action: string): Answer {
  const [sizeText, offsetText, tag = "", ...more] = wordsOf(line, action);
  const [size, offset] = [parseNumber(sizeText), parseNumber(offsetText)];
  const isInside = offset <= size; // false if one of them is no number
  if (!isInside || !TAG.test(tag) || more.length > 0) throw notSpoken(line, action);
  return { size, offset, tag };
}

/**
 * Reads the line after the bytes.
 *
 * @returns The checksum as the other side has it.
 * @throws {FileTransferError} If the other side refuses, or with the code `protocol`.
 */
export function parseTrailer(line: string | null, action: string): string {
  const [checksum = "", ...more] = wordsOf(line, action);
  if (!TAG.test(checksum) || more.length > 0) throw notSpoken(line, action);
  return checksum;
}

/** One line of a list: size, time and name; a folder's name ends in a slash. */
export function formatEntry({ name, size, modified, isFolder }: FileEntry): string {
  // File systems know times that are no dates, and years that do not have four digits.
  const year = modified?.getUTCFullYear() ?? NaN;
  const time = year >= 0 && year <= 9_999
    ? modified?.toISOString().replace(/\.\d+Z$/, "Z")
    : NOTHING;
  return `${size} ${time} ${name}${isFolder ? "/" : ""}\n`;
}

/**
 * Reads one line of a list.
 *
 * @throws {FileTransferError} With the code `protocol`.
 */
export function parseEntry(line: string, action: string): FileEntry {
  const [sizeText, rest] = cut(line);
  const [time, path] = cut(rest);
  const size = parseNumber(sizeText);
  const modified = time === NOTHING ? null : new Date(TIME.test(time) ? time : NaN);
  const isFolder = path.endsWith("/");
  const name = isFolder ? path.slice(0, -1) : path;
  const isTime = modified === null || !Number.isNaN(modified.getTime());
  if (Number.isNaN(size) || !isTime || faultOf(name) !== undefined) {
    throw notSpoken(line, action);
  }
  return { size, modified, name, isFolder };
}

/** What stands in the place of the tag before a list: how many entries are not in it. */
export function formatOmitted(omitted: number): string {
  return omitted === 0 ? NOTHING : `omitted.${omitted}`;
}

/** How many entries are not in a list, by what stands in the place of the tag. */
export function parseOmitted(tag: string): number {
  return Number(OMITTED.exec(tag)?.[1] ?? 0);
}

/** A whole number that counts bytes; NaN for anything else. */
function parseNumber(text = ""): number {
  const number = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : NaN;
}

/** The first word and the rest. */
export function cut(text: string): [string, string] {
  const at = text.indexOf(" ");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** What follows an OK. */
function wordsOf(line: string | null, action: string): string[] {
  if (line === null) {
    throw new FileTransferError("gone", `${action}: the other side ended without an answer`);
  }
  const [status, rest] = cut(line);
  if (status === "OK") return rest.split(" ");
  const [code, text] = cut(rest);
  if (status !== "NO" || !CODE.test(code)) throw notSpoken(line, action);
  const known = code as FileTransferErrorCode;
  const reason = REFUSALS.get(known);
  if (reason !== undefined) throw new FileTransferError(known, `${action}: ${reason}`);
  throw new FileTransferError(
    "failed",
    `${action}: the server says "${toPrintable(text.slice(0, MAX_SHOWN))}"`,
  );
}

function notSpoken(line: string | null, action: string): FileTransferError {
  const shown = toPrintable((line ?? "").slice(0, 40));
  return new FileTransferError(
    "protocol",
    `${action}: the other side does not speak this protocol, it said "${shown}"`,
  );
}
