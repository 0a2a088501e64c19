/**
 * Reading certificates and keys, for programs.
 *
 * @module
 */
import { inOneLine } from "./one_line.ts";

/** The largest file that is taken for certificates: a system's whole collection has 250 KB. */
const MAX_SIZE = 4 * 1024 * 1024;

/**
 * Reads a file of certificates or a key.
 *
 * @throws {Error} In one line, if it cannot be read or is none.
 */
export async function readPem(path: string): Promise<string> {
  const text = await inOneLine(`read ${path}`, () => readAtMost(path, MAX_SIZE));
  const blocks = [...text.matchAll(/-----BEGIN ([^\n-]+)-----([^-]*)-----END \1-----/g)];
  if (blocks.length === 0) throw new Error(`Cannot use ${path}: it is not in PEM form`);
  if (blocks.some(([, , body = ""]) => !isBase64(body))) {
    throw new Error(`Cannot use ${path}: its PEM form is broken`);
  }
  return text;
}

async function readAtMost(path: string, size: number): Promise<string> {
  const { readable } = await Deno.open(path);
  let text = "";
  for await (const piece of readable.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.length > size) throw new Error(`it is larger than ${size} bytes`);
  }
  return text;
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
