/**
 * Everything a connection can be carried by, so that one test can run over all of them.
 */
import {
  connectTcp,
  serveTcp,
  type TcpConnectBaseOptions,
  type TcpConnection,
  type TcpHandler,
  type TcpServer,
  type TcpServerBaseOptions,
} from "../../mod.ts";

const here = new URL("./tls/", import.meta.url);

/** Certificate, key and CA of the tests; see tls/README.md. */
export const tlsFiles = {
  ca: Deno.readTextFileSync(new URL("ca.pem", here)),
  cert: Deno.readTextFileSync(new URL("localhost.pem", here)),
  key: Deno.readTextFileSync(new URL("localhost.key", here)),
  caPath: new URL("ca.pem", here).pathname,
  certPath: new URL("localhost.pem", here).pathname,
  keyPath: new URL("localhost.key", here).pathname,
};

/** The options of a TLS server with the tests' certificate. */
export const serverTls = { cert: tlsFiles.cert, key: tlsFiles.key };
/** The options of a TLS client that trusts it. */
export const clientTls = { caCerts: [tlsFiles.ca] };

/** One way to carry bytes. */
export interface Transport {
  readonly name: "tcp" | "tls" | "unix";
  serve(options: TcpServerBaseOptions, handler: TcpHandler): TcpServer;
  connect(server: TcpServer, options?: TcpConnectBaseOptions): Promise<TcpConnection>;
}

/** The port of what is bound to one. */
export function portOf({ addr }: { readonly addr: Deno.Addr }): number {
  if ("port" in addr) return addr.port;
  throw new TypeError(`Cannot use ${JSON.stringify(addr)}: it has no port`);
}

function silent(options: TcpServerBaseOptions): TcpServerBaseOptions {
  return { onListen() {}, ...options };
}

export const tcp: Transport = {
  name: "tcp",
  serve: (options, handler) => serveTcp({ ...silent(options), port: 0 }, handler),
  connect: (server, options) => connectTcp({ ...options, port: portOf(server) }),
};

export const tls: Transport = {
  name: "tls",
  serve: (options, handler) => serveTcp({ ...silent(options), port: 0, tls: serverTls }, handler),
  connect: (server, options) => connectTcp({ ...options, port: portOf(server), tls: clientTls }),
};

export const unix: Transport = {
  name: "unix",
  serve(options, handler) {
    const dir = Deno.makeTempDirSync({ prefix: "tincan-" });
    const server = serveTcp({ ...silent(options), path: `${dir}/socket` }, handler);
    server.finished.then(() => Deno.removeSync(dir, { recursive: true }));
    return server;
  },
  connect: (server, options) =>
    connectTcp({ ...options, path: (server.addr as Deno.UnixAddr).path }),
};

/** TLS whose client checks no certificate, and goes through other sockets of the runtime for it. */
export const unverifiedTls: Transport = {
  ...tls,
  connect: (server, options) =>
    connectTcp({
      ...options,
      port: portOf(server),
      tls: { unsafelyIgnoreCertificateErrors: true },
    }),
};

export const transports: readonly Transport[] = [tcp, tls, unix];

/** Both ends of one connection. Whatever state they are in, disposing leaves nothing behind. */
export interface Pair extends AsyncDisposable {
  readonly client: TcpConnection;
  readonly server: TcpConnection;
}

/** What the two ends of a pair are made with. */
export interface PairOptions {
  server?: TcpServerBaseOptions;
  client?: TcpConnectBaseOptions;
}

/** Connects a client to a server whose handler does nothing until the pair is disposed. */
export async function connectedPair(
  transport: Transport = tcp,
  options: PairOptions = {},
): Promise<Pair> {
  const accepted = Promise.withResolvers<TcpConnection>();
  const disposed = Promise.withResolvers<void>();
  const listening = transport.serve(options.server ?? {}, (conn) => {
    accepted.resolve(conn);
    return disposed.promise;
  });
  const client = await transport.connect(listening, options.client);
  const server = await accepted.promise;
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      client.abort();
      server.abort();
      disposed.resolve();
      await Promise.all([client.close(), server.close()]);
      await listening.shutdown({ timeout: 0 });
    },
  };
}

/** Everything up to the end of the stream. */
export async function readAll(conn: TcpConnection): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of conn) {
    chunks.push(chunk);
    size += chunk.length;
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Reads and forgets up to the end of the stream; says how much it was. */
export async function drain(conn: TcpConnection): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let size = 0;
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) size += n;
  return size;
}

/** Sends back what comes, to the end. */
export async function echo(conn: TcpConnection): Promise<void> {
  for await (const chunk of conn) await conn.write(chunk);
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export function text(bytes: Uint8Array | null): string | null {
  return bytes && new TextDecoder().decode(bytes);
}
