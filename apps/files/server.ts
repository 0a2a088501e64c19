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
import { digestPart, type Move, receiveBytes, sendBytes } from "./_bytes.ts";
import { createDigest, NOTHING } from "./_digest.ts";
import { DigestCache } from "./_digest_cache.ts";
import { Listings } from "./_listings.ts";
import { type Crowd, Pace } from "./_pace.ts";
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
import { type FileServerOptions, type ResolvedOptions, resolveOptions } from "./server_options.ts";

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
  const { hidden, upload, maxEntries, server: tcpOptions, ...settings } = resolveOptions(options);
  const root = await Root.open(directory, hidden);
  const uploads = upload === undefined ? undefined : new Uploads(root.path, upload);
  await uploads?.clean();
  const service = new Service({
    root,
    uploads,
    listings: new Listings(root, maxEntries),
    isFull: (conn) => isFull(server, conn, settings.places),
    ...settings,
  });
  const server: TcpServer = serveTcp(tcpOptions, (conn) => service.serve(conn));
  return server;
}

/** Whether others may be waiting for the place that a connection has. */
function isFull(
  { connections }: TcpServer,
  { remoteAddr }: TcpConnection,
  places: ResolvedOptions["places"],
): boolean {
  if (connections.size >= places.inAll) return true;
  const key = keyOf(remoteAddr);
  if (key === null) return false;
  let same = 0;
  for (const conn of connections) if (keyOf(conn.remoteAddr) === key) same++;
  return same >= places.perAddress;
}

/** What connections from one address have in common; `null` on a unix socket. */
function keyOf(addr: SocketAddress): string | null {
  return "hostname" in addr ? userKey(addr.hostname) : null;
}

interface ServiceInit extends Pick<ResolvedOptions, "requestTimeout" | "pace" | "onTransfer"> {
  root: Root;
  uploads: Uploads | undefined;
  listings: Listings;
  isFull: (conn: TcpConnection) => boolean;
}

/** How far one request has got. */
interface Course {
  verb: FileRequest["verb"] | "?";
  name: string;
  bytes: number;
  /** Whether bytes of the file are under way: then no line can be sent. */
  isSending: boolean;
  pace: Pace;
}

/** Answers one request for each connection. */
class Service {
  readonly #init: ServiceInit;
  readonly #digests = new DigestCache();

  constructor(init: ServiceInit) {
    this.#init = init;
  }

  async serve(conn: TcpConnection): Promise<void> {
    const { isFull, listings, pace: paceOptions } = this.#init;
    const crowd: Crowd = { isCrowded: () => isFull(conn) || listings.isCrowded() };
    using pace = new Pace(conn, "Cannot serve", { ...paceOptions, crowd });
    const course: Course = { verb: "?", name: "", bytes: 0, isSending: false, pace };
    const begin = performance.now();
    let failure: unknown;
    try {
      const line = await this.#readLine(conn);
      if (line === null) return; // it came, said nothing, and went
      const request = parseRequest(line);
      course.verb = request.verb;
      course.name = request.verb === "LIST" ? request.folder : request.name;
      await this.#answer(conn, request, course);
    } catch (error) {
      failure = error;
      await refuse(conn, error, course);
      if (!(error instanceof FileTransferError)) throw error;
    } finally {
      const { verb, name, bytes } = course;
      const duration = performance.now() - begin;
      const event = { verb, name, bytes, duration, remoteAddr: conn.remoteAddr, error: failure };
      const wasAsked = verb !== "?" || failure !== undefined;
      if (wasAsked) await this.#init.onTransfer?.(event);
    }
  }

  /** Reads a line that must come soon; `null` if the client has ended instead. */
  async #readLine(conn: TcpConnection): Promise<string | null> {
    const timeout = this.#init.requestTimeout;
    try {
      return await conn.readLine({ timeout, maxLength: MAX_LINE_LENGTH });
    } catch (error) {
      if (error instanceof LimitError) {
        throw new FileTransferError("bad_request", "The line is too long", { cause: error });
      }
      if (error instanceof Deno.errors.TimedOut) {
        const message = `No line came within ${timeout} ms`;
        throw new FileTransferError("too_slow", message, { cause: error });
      }
      throw error;
    }
  }

  #answer(conn: TcpConnection, request: FileRequest, course: Course): Promise<void> {
    switch (request.verb) {
      case "LIST":
        return this.#list(conn, request.folder, course);
      case "GET":
        return this.#send(conn, request, course);
      case "PUT":
        return this.#receive(conn, request, course);
    }
  }

  #list(conn: TcpConnection, folder: string, course: Course): Promise<void> {
    return this.#init.listings.with(folder, async ({ body, omitted }) => {
      course.pace.sends();
      const tag = formatOmitted(omitted);
      await conn.write(formatAnswer({ size: body.length, offset: 0, tag }));
      course.isSending = true;
      await conn.write(body);
      course.isSending = false;
      await conn.write(formatTrailer(NOTHING));
      course.bytes = body.length;
    });
  }

  async #send(
    conn: TcpConnection,
    request: FileRequest & { verb: "GET" },
    course: Course,
  ): Promise<void> {
    await using file = await this.#init.root.openFile(request.name);
    const { size, tag } = file;
    const isSame = request.tag === tag || request.tag === NOTHING;
    const offset = isSame && request.offset <= size ? request.offset : 0;
    await conn.write(formatAnswer({ size, offset, tag }));
    course.isSending = true;
    const checksum = await this.#sendBody(conn, file, { ...request, offset }, course);
    course.isSending = false;
    if (!await file.isIntact()) {
      throw new FileTransferError("changed", "The file changed while it was sent");
    }
    await conn.write(formatTrailer(checksum));
  }

  /** Sends the bytes from `offset`; returns the checksum of the whole file. */
  async #sendBody(
    conn: TcpConnection,
    file: OpenFile,
    { offset, checksum }: FileRequest & { verb: "GET" },
    course: Course,
  ): Promise<string> {
    const known = this.#digests.get(file.tag, checksum);
    const digest = await createDigest(known === undefined ? checksum : "none");
    const move: Move = { action: "Cannot send", from: offset, to: file.size, digest };
    if (offset > 0 && known === undefined && checksum !== "none") {
      await digestPart(file.read, { ...move, from: 0, to: offset }, () => {
        conn.signal.throwIfAborted();
      });
    }
    const onBytes = (bytes: number) => {
      course.bytes += bytes;
    };
    await sendBytes(conn, file.read, { ...move, pace: course.pace, onBytes });
    if (known !== undefined) return known;
    const result = digest.result();
    if (await file.hasSameTag()) this.#digests.set(file, checksum, result);
    return result;
  }

  async #receive(
    conn: TcpConnection,
    request: FileRequest & { verb: "PUT" },
    course: Course,
  ): Promise<void> {
    const { root, uploads } = this.#init;
    if (uploads === undefined) {
      throw new FileTransferError("forbidden", "Uploads are not taken here");
    }
    const { size, replace, checksum, name } = request;
    const target = root.targetFor(name);
    await using upload = await uploads.begin(target, size, replace);
    const digest = await createDigest(checksum);
    await conn.write(formatAnswer({ size, offset: 0, tag: NOTHING }));
    const onBytes = (bytes: number) => {
      course.bytes += bytes;
    };
    await receiveBytes(conn, upload.file, {
      action: "Cannot receive",
      from: 0,
      to: size,
      digest,
      pace: course.pace,
      path: "the file",
      beforeWrite: upload.reserve,
      onBytes,
    });
    course.pace.rests();
    const line = await this.#readLine(conn);
    const result = digest.result();
    if (parseTrailer(line, "Cannot receive") !== result) {
      throw new FileTransferError("checksum", "What arrived is not what was sent");
    }
    await upload.finish();
    await conn.write(formatTrailer(result));
  }
}

/** Reports an error to the client, as long as a line can be sent. */
async function refuse(conn: TcpConnection, error: unknown, course: Course): Promise<void> {
  if (course.isSending) return conn.abort(error); // the bytes end short, and the client sees it
  try {
    course.pace.sends();
    await conn.write(formatRefusal(error));
    // A client that does not even speak the protocol is not listened to for long.
    const isStrange = error instanceof FileTransferError && error.code === "bad_request";
    if (isStrange) await conn.close({ linger: STRANGER_LINGER });
  } catch {
    // It has gone.
  }
}
