/**
 * Names on the wire and names on the disk.
 *
 * @module
 */
import { crc32 } from "../../framing/crc32.ts";
import { toPrintable } from "../printable.ts";
import { FileTransferError } from "./errors.ts";

/** The longest name on the wire in bytes: what the system takes as a path. */
export const MAX_NAME_LENGTH = 4_096;

/** What file systems take as one name, in bytes. */
const MAX_SEGMENT_LENGTH = 255;

/** The end of the names under which files grow. They are never listed, sent or taken. */
const PART = ".tincan-part";
/** The end of the name of the note beside a download that can go on. */
const NOTE = ".tincan-note";

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

/** Whether a name belongs to a file that is still growing. */
export function isTemporary(name: string): boolean {
  return name.startsWith(".") && (name.endsWith(PART) || name.endsWith(NOTE));
}

/** The name under which a file grows, hidden and beside its target. */
export function partName(base: string, mark = ""): string {
  return `.${shorten(base)}${mark}${PART}`;
}

/** The name of the note beside it, which says what it is a part of. */
export function noteName(base: string): string {
  return `.${shorten(base)}${NOTE}`;
}

/** What is left of a long name when something is to be put before and behind it. */
function shorten(base: string): string {
  if (lengthOf(base) <= 200) return base;
  const checksum = crc32(encoder.encode(base)).toString(16);
  return `${[...base].slice(0, 40).join("")}~${checksum}`;
}

function badName(name: string, why: string): FileTransferError {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return new FileTransferError("bad_name", `Cannot use the name "${toPrintable(shown)}": ${why}`);
}
