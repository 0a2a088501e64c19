/**
 * Names on the wire, names on the disk, and the little that is needed of paths of this system.
 *
 * @module
 */
import { crc32 } from "../../framing/mod.ts";
import { toPrintable } from "../../common/escape.ts";
import { FileTransferError } from "./errors.ts";

/** The longest name on the wire in bytes: what the system takes as a path. */
export const MAX_NAME_LENGTH = 4_096;

/** What file systems take as one name, in bytes. */
const MAX_SEGMENT_LENGTH = 255;

/** The end of the names under which downloads grow that can be resumed. None of these is ever listed,
 * sent or taken. */
export const PART = ".tincan-part";
/** The end of the name of the note beside a download that can be resumed. */
export const NOTE = ".tincan-note";
/** The end of the names of files that are of no use once their process has ended. */
const TEMP = ".tincan-temp";

const isWindows = Deno.build.os === "windows";

/** A control character, or half of a character. */
const UNSENDABLE = /[\p{Cc}\p{Cs}]/u;
/** What Windows gives a meaning of its own: separators, drives, streams, wildcards, devices. */
const WINDOWS_SPECIAL = /[<>:"|?*\\]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

const encoder = new TextEncoder();

/** The bytes of a text in UTF-8. */
function lengthOf(text: string): number {
  return encoder.encode(text).length;
}

/**
 * Checks that a name can go over the wire, in one line.
 *
 * @throws {FileTransferError} With the code `bad_name`.
 */
export function checkName(name: string): string {
  if (name === "") throw badName(name, "it is empty");
  if (UNSENDABLE.test(name)) throw badName(name, "it holds control characters");
  if (lengthOf(name) > MAX_NAME_LENGTH) throw badName(name, "it is too long");
  return name;
}

/**
 * The folders and the file that a name from the wire leads through. Nothing is decoded: `%2e%2e` is a
 * name like any other.
 *
 * @throws {FileTransferError} With the code `bad_name`, if it could lead anywhere else than down.
 */
export function segmentsOf(name: string): string[] {
  const segments = checkName(name).split("/");
  for (const segment of segments) {
    if (segment === "") throw badName(name, "it begins or ends with a slash, or holds two");
    if (segment === "." || segment === "..") throw badName(name, `it holds "${segment}"`);
    if (lengthOf(segment) > MAX_SEGMENT_LENGTH) throw badName(name, "it is too long");
    if (isWindows && WINDOWS_SPECIAL.test(segment)) {
      throw badName(name, "it means something else to the system");
    }
  }
  return segments;
}

/**
 * Why a name cannot be one entry of a folder on the wire; `undefined` if it can.
 */
export function faultOf(entry: string): string | undefined {
  if (entry === "") return "it is empty";
  if (entry === "." || entry === "..") return "it leads elsewhere";
  if (entry.includes("/")) return "it is a path";
  if (UNSENDABLE.test(entry)) return "it holds control characters";
  return lengthOf(entry) > MAX_NAME_LENGTH ? "it is too long" : undefined;
}

/** Whether a name belongs to a file that is still growing. */
export function isTemporary(name: string): boolean {
  return name.startsWith(".") && [PART, NOTE, TEMP].some((end) => name.endsWith(end));
}

/** The hidden name of what stands beside a file, {@linkcode PART} or {@linkcode NOTE}. */
export function nameBeside(base: string, end: string): string {
  if (lengthOf(base) <= 200) return `.${base}${end}`;
  const checksum = crc32(encoder.encode(base)).toString(16);
  return `.${[...base].slice(0, 40).join("")}~${checksum}${end}`;
}

function badName(name: string, why: string): FileTransferError {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return new FileTransferError("bad_name", `Cannot use the name "${toPrintable(shown)}": ${why}`);
}

/** What stands between the parts of a path. */
export const SEPARATOR: string = isWindows ? "\\" : "/";

/** The path of `name` in `folder`. */
export function join(folder: string, name: string): string {
  if (folder === "") return name;
  return endsWithSeparator(folder) ? folder + name : folder + SEPARATOR + name;
}

/** The way from `folder` down to `path`, `null` if it does not go down. Both are real paths. */
export function relative(folder: string, path: string): string | null {
  if (path === folder) return "";
  const inside = endsWithSeparator(folder) ? folder : folder + SEPARATOR;
  return path.startsWith(inside) ? path.slice(inside.length) : null;
}

/** The folder and the name of a path. */
export function split(path: string): [string, string] {
  const at = isWindows
    ? Math.max(path.lastIndexOf("\\"), path.lastIndexOf("/"))
    : path.lastIndexOf("/");
  return at < 0 ? ["", path] : [path.slice(0, at + 1), path.slice(at + 1)];
}

function endsWithSeparator(path: string): boolean {
  return path.endsWith(SEPARATOR) || (isWindows && path.endsWith("/"));
}
