/**
 * Folders, servers and raw peers for the tests of files.
 *
 * @module
 */
import { type FileServerOptions, serveFiles } from "../../../apps/files/mod.ts";
import {
  serveTcp,
  type TcpConnection,
  type TcpServer,
  type TcpServerOptions,
} from "../../../mod.ts";

/** A folder that goes away with the test. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one, in `parent` if that is there. */
  static async make(parent?: string): Promise<Folder> {
    const prefix = "tincan_files_";
    const path = parent === undefined
      ? await Deno.makeTempDir({ prefix })
      : await Deno.makeTempDir({ prefix, dir: parent }).catch(() => Deno.makeTempDir({ prefix }));
    return new Folder(await Deno.realPath(path));
  }

  /** The path of something in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = this.at(name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, typeof content === "string" ? encode(content) : content);
    return path;
  }

  read(name: string): Promise<Uint8Array> {
    return Deno.readFile(this.at(name));
  }

  text(name: string): Promise<string> {
    return Deno.readTextFile(this.at(name));
  }

  /** Everything in it, hidden or not, sorted. */
  async names(folder = ""): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(this.at(folder))) names.push(name);
    return names.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A server with its port. */
type PortServer = TcpServer<Deno.NetAddr> & { port: number };

/** Serves a folder on a free port, without a word. */
export async function serve(
  folder: Folder | string,
  options: FileServerOptions<TcpServerOptions> = {},
): Promise<PortServer> {
  const path = typeof folder === "string" ? folder : folder.path;
  return withPort(await serveFiles(path, { port: 0, onListen() {}, ...options }));
}

/** A server that says what the test wants, after it has read the request. */
export function serveLies(
  lie: (conn: TcpConnection, request: string) => void | Promise<void>,
): PortServer {
  return withPort(serveTcp({ port: 0, onListen() {}, onError() {} }, async (conn) => {
    const request = await conn.readLine();
    if (request !== null) await lie(conn, request);
  }));
}

function withPort(server: TcpServer<Deno.NetAddr>): PortServer {
  return Object.assign(server, { port: server.addr.port });
}

/** Sends bytes, ends, and collects what comes back, until the peer ends or breaks it off. */
export async function say(port: number, request: string | Uint8Array): Promise<string> {
  using conn = await Deno.connect({ port });
  const reading = readAll(conn);
  try {
    const bytes = typeof request === "string" ? encode(request) : request;
    for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
    await conn.closeWrite();
  } catch {
    // It has heard enough.
  }
  return await reading;
}

/** What comes until the end, as text of Latin-1. */
export async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(65_536);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      text += new TextDecoder("latin1").decode(buffer.subarray(0, n));
    }
  } catch {
    text += "<broken off>";
  }
  return text;
}

/** One line, byte by byte, so that nothing behind it is taken. */
export async function readLine(conn: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  let line = "";
  while (await conn.read(byte) !== null && byte[0] !== 0x0a) line += String.fromCharCode(byte[0]!);
  return line;
}

export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Bytes that don't repeat within reach of any mistake. */
export function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  }
  return bytes;
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Gives a file a time in the past, as most files have. */
export async function settle(path: string, seconds = 1_700_000_000): Promise<void> {
  await Deno.utime(path, seconds, seconds);
}
