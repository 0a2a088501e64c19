/**
 * Reading certificates and keys, for programs.
 *
 * @module
 */
import { systemReason } from "../common/system_reason.ts";

/** The largest file that is taken for certificates: a system's whole collection has 250 KB. */
const MAX_SIZE = 4 * 1024 * 1024;

/**
 * Reads a file of certificates or a key.
 *
 * @throws {Error} In one line, if it cannot be read or is none.
 */
export async function readPem(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    using file = await Deno.open(path);
    bytes = await readAtMost(file, MAX_SIZE);
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${reasonOf(error)}`, { cause: error });
  }
  const text = new TextDecoder().decode(bytes);
  const blocks = [...text.matchAll(/-----BEGIN ([^\n-]+)-----([^-]*)-----END \1-----/g)];
  if (blocks.length === 0) throw new Error(`Cannot use ${path}: it is not in PEM form`);
  if (blocks.some(([, , body = ""]) => !isBase64(body))) {
    throw new Error(`Cannot use ${path}: its PEM form is broken`);
  }
  return text;
}

async function readAtMost(file: Deno.FsFile, size: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(size + 1);
  let length = 0;
  for (let n; (n = await file.read(buffer.subarray(length)));) length += n;
  if (length > size) throw new Error(`it is larger than ${size} bytes`);
  return buffer.subarray(0, length);
}

function isBase64(body: string): boolean {
  // Keys may have fields of their own first, such as "Proc-Type: 4,ENCRYPTED".
  if (body.includes(":")) return true;
  try {
    return Uint8Array.fromBase64(body).length > 16; // less holds no key and no certificate
  } catch {
    return false;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  const message = error instanceof Error ? error.message : String(error);
  return systemReason(message)?.toLowerCase() ?? message;
}
