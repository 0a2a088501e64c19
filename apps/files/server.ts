/**
 * A server of files.
 *
 * @module
 */
import { LimitError, type SocketAddress } from "../../errors.ts";
import { userKey } from "../../common/cidr.ts";
import {
  serveTcp,
  type TcpConnection,
  type TcpServer,
  type TcpServerOptions,
  type UnixServerOptions,
} from "../../tcp/mod.ts";
import { digestPart, receiveBytes, sendBytes } from "./_bytes.ts";
import { createDigest, DigestCache, NOTHING } from "./_digest.ts";
import { Listings } from "./_listings.ts";
import { Pace } from "./_pace.ts";
import {
  type FileRequest,
  formatAnswer,
  formatOmitted,
  formatRefusal,
  formatTrailer,
  MAX_LINE_LENGTH,
  parseRequest,
  parseTrailer,
} from "./_protocol.ts";
import { type OpenFile, Root } from "./_root.ts";
import { Uploads } from "./_uploads.ts";
import { FileTransferError } from "./errors.ts";
import {
  type FileServerOptions,
  type FileServerSettings,
  resolveOptions,
} from "./server_options.ts";

/** How long the server waits for the end of a client that does not speak its protocol. */
const STRANGER_LINGER = 200;

/**
 * Serves the files of a folder, and nothing outside it. docs/files.md describes what goes over the wire.
 *
 * Names that would lead out (`..`, absolute paths, links), devices, pipes, and files whose names begin
 * with a dot are not served. Several clients are served at once, each for as long as bytes flow.
 *
 * @param directory The folder.
 * @param options Where to listen, what to show, what to take, limits and timeouts.
 * @returns The server, which is listening already.
 * @throws {FileTransferError} If the folder is not there (`not_found`), not a folder (`not_a_file`) or
 * not readable (`not_readable`).
 * @throws {Deno.errors.AddrInUse} If something listens there already.
 * @throws {Deno.errors.NotCapable} Without the permission to read the folder, or to listen.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
 *
 * @example
 * ```ts
 * import { getFile, serveFiles } from "@tincan/net/files";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${folder}/hello.txt`, "hello");
 * await using server = await serveFiles(folder, { port: 0, onListen() {} });
 * const { port } = server.addr;
 *
 * const { bytes } = await getFile("hello.txt", { port, output: `${folder}/copy.txt` });
 * assertEquals(bytes, 5);
 * assertEquals(await Deno.readTextFile(`${folder}/copy.txt`), "hello");
 * ```
 */
export function serveFiles(
  directory: string,
  options?: FileServerOptions<TcpServerOptions>,
): Promise<TcpServer<Deno.NetAddr>>;
/**
 * Serves the files of a folder on a unix socket.
 *
 * @param directory The folder.
 * @param options The path, what to show, what to take, limits and timeouts.
 * @returns The server.
 */
export function serveFiles(
  directory: string,
  options: FileServerOptions<UnixServerOptions>,
): Promise<TcpServer<Deno.UnixAddr>>;
/**
 * Serves the files of a folder wherever the options say.
 *
 * @param directory The folder.
 * @param options Where to listen, what to show, what to take, limits and timeouts.
 * @returns The server.
 */
export function serveFiles(directory: string, options?: FileServerOptions): Promise<TcpServer>;
export async function serveFiles(
  directory: string,
  options: FileServerOptions = {},
): Promise<TcpServer> {
  const settings = resolveOptions(options);
  const root = await Root.open(directory, settings.hidden);
  const uploads = settings.upload && new Uploads(root.path, settings.upload);
  await uploads?.clean();
  const service = new Service(root, uploads, settings);
  const server: TcpServer = serveTcp(settings.server, (conn) => service.serve(server, conn));
  return server;
}

/** What connections from one address have in common; `null` on a unix socket. */
function keyOf(addr: SocketAddress): string | null {
  return "hostname" in addr ? userKey(addr.hostname) : null;
}

/** A request that is being answered. */
interface ServedRequest {
  readonly conn: TcpConnection;
  readonly pace: Pace;
  verb: FileRequest["verb"] | "?";
  name: string;
  /** Whether bytes of the file are under way: then no line can be sent. */
  isSending: boolean;
}

/** Answers one request for each connection. */
class Service {
  readonly #root: Root;
  readonly #uploads: Uploads | undefined;
  readonly #settings: FileServerSettings;
  readonly #listings: Listings;
  readonly #digests = new DigestCache();

  constructor(root: Root, uploads: Uploads | undefined, settings: FileServerSettings) {
    this.#root = root;
    this.#uploads = uploads;
    this.#settings = settings;
    this.#listings = new Listings(root, settings.maxEntries);
  }

  async serve(server: TcpServer, conn: TcpConnection): Promise<void> {
    const isCrowded = () => this.#isFull(server, conn) || this.#listings.isCrowded();
    using pace = new Pace(conn, "Cannot serve", { ...this.#settings.pace, isCrowded });
    const served: ServedRequest = { conn, pace, verb: "?", name: "", isSending: false };
    const begin = performance.now();
    let error: unknown;
    try {
      const line = await this.#readLine(conn);
      if (line === null) return; // it closed without a request
      const request = parseRequest(line);
      served.verb = request.verb;
      served.name = request.verb === "LIST" ? request.folder : request.name;
      await this.#answer(request, served);
    } catch (failure) {
      error = failure;
      await refuse(served, error);
      if (!(error instanceof FileTransferError)) throw error;
    } finally {
      const { verb, name } = served;
      const duration = performance.now() - begin;
      const { remoteAddr } = conn;
      const event = { verb, name, bytes: pace.bytes, duration, remoteAddr, error };
      const wasAsked = verb !== "?" || error !== undefined;
      if (wasAsked) await this.#settings.onTransfer?.(event);
    }
  }

  /** Whether others may be waiting for the place that a connection has. */
  #isFull({ connections }: TcpServer, { remoteAddr }: TcpConnection): boolean {
    const { maxConnections, maxConnectionsPerIp } = this.#settings;
    if (connections.size >= maxConnections) return true;
    const key = keyOf(remoteAddr);
    const same = Array.from(connections).filter((conn) => keyOf(conn.remoteAddr) === key);
    return key !== null && same.length >= maxConnectionsPerIp;
  }

  /** Reads a line that must come soon; `null` if the client has ended instead. */
  async #readLine(conn: TcpConnection): Promise<string | null> {
    const timeout = this.#settings.requestTimeout;
    try {
      return await conn.readLine({ timeout, maxLength: MAX_LINE_LENGTH });
    } catch (cause) {
      if (cause instanceof LimitError) {
        throw new FileTransferError("bad_request", "The line is too long", { cause });
      }
      if (!(cause instanceof Deno.errors.TimedOut)) throw cause;
      throw new FileTransferError("too_slow", `No line came within ${timeout} ms`, { cause });
    }
  }

  #answer(request: FileRequest, served: ServedRequest): Promise<void> {
    switch (request.verb) {
      case "LIST":
        return this.#list(request.folder, served);
      case "GET":
        return this.#send(request, served);
      case "PUT":
        return this.#receive(request, served);
    }
  }

  #list(folder: string, served: ServedRequest): Promise<void> {
    const { conn, pace } = served;
    return this.#listings.with(folder, async ({ body, omitted }) => {
      pace.begin("out");
      const tag = formatOmitted(omitted);
      await conn.write(formatAnswer({ size: body.length, offset: 0, tag }));
      served.isSending = true;
      await conn.write(body);
      served.isSending = false;
      await conn.write(formatTrailer(NOTHING));
      pace.bytes = body.length;
    });
  }

  async #send(request: FileRequest & { verb: "GET" }, served: ServedRequest): Promise<void> {
    const { conn } = served;
    await using file = await this.#root.openFile(request.name);
    const { size, tag } = file;
    const isSame = request.tag === tag || request.tag === NOTHING;
    const offset = isSame && request.offset <= size ? request.offset : 0;
    await conn.write(formatAnswer({ size, offset, tag }));
    served.isSending = true;
    const checksum = await this.#sendBody(file, { ...request, offset }, served);
    served.isSending = false;
    if (!await file.isIntact()) {
      throw new FileTransferError("changed", "The file changed while it was sent");
    }
    await conn.write(formatTrailer(checksum));
  }

  /** Sends the bytes from `offset`; returns the checksum of the whole file. */
  async #sendBody(
    file: OpenFile,
    { offset, checksum }: FileRequest & { verb: "GET" },
    { conn, pace }: ServedRequest,
  ): Promise<string> {
    const known = this.#digests.get(file.tag, checksum);
    const digest = await createDigest(known === undefined ? checksum : "none");
    const part = { action: "Cannot send", from: offset, to: file.size, digest };
    if (offset > 0 && known === undefined && checksum !== "none") {
      await digestPart(file.read, { ...part, from: 0, to: offset }, conn.signal);
    }
    await sendBytes(conn, file.read, { ...part, pace });
    if (known !== undefined) return known;
    const result = digest.result();
    if (await file.hasSameTag()) this.#digests.set(file, checksum, result);
    return result;
  }

  async #receive(
    request: FileRequest & { verb: "PUT" },
    { conn, pace }: ServedRequest,
  ): Promise<void> {
    if (this.#uploads === undefined) {
      throw new FileTransferError("forbidden", "Uploads are not taken here");
    }
    const { size, replace, checksum, name } = request;
    const target = this.#root.targetFor(name);
    await using upload = await this.#uploads.begin(target, size, replace);
    const digest = await createDigest(checksum);
    await conn.write(formatAnswer({ size, offset: 0, tag: NOTHING }));
    const action = "Cannot receive";
    await receiveBytes(conn, upload.file, {
      ...{ action, from: 0, to: size, digest, pace },
      writing: "Cannot write the file",
      beforeWrite: (bytes) => upload.reserve(bytes),
    });
    pace.begin("none");
    const line = await this.#readLine(conn);
    const result = digest.result();
    if (parseTrailer(line, action) !== result) {
      throw new FileTransferError("checksum", "What arrived is not what was sent");
    }
    await upload.finish();
    await conn.write(formatTrailer(result));
  }
}

/** Reports an error to the client, as long as a line can be sent. */
async function refuse({ conn, pace, isSending }: ServedRequest, error: unknown): Promise<void> {
  if (isSending) return conn.abort(error); // the bytes end short, and the client sees it
  try {
    pace.begin("out");
    await conn.write(formatRefusal(error));
    // A client that does not speak the protocol may never end by itself.
    const isStrange = error instanceof FileTransferError && error.code === "bad_request";
    if (isStrange) await conn.close({ linger: STRANGER_LINGER });
  } catch {
    // The client has closed the connection.
  }
}
