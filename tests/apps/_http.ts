// What the tests of the web fetch have in common: a server that says what it is told, and every cut.
import { serveTcp, type TcpConnection } from "@tincan/net";

/** A server in the test's own process. */
export interface Scripted extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  port: number;
  /** The heads of the requests, in the order in which they came. */
  requests: string[];
}

/** What a scripted server answers to one request. */
export type Answer = (conn: TcpConnection, path: string) => Promise<unknown> | string | Uint8Array;

/** Starts a server that reads one head per connection and answers with `answer`. */
export function scripted(answer: Answer | string | Uint8Array): Scripted {
  const requests: string[] = [];
  const server = serveTcp({ port: 0, onListen() {}, onError() {} }, async (conn) => {
    const head = await conn.readUntil("\r\n\r\n");
    if (head === null) return;
    const request = new TextDecoder().decode(head);
    requests.push(request);
    const path = request.split(" ")[1] ?? "";
    const said = typeof answer === "function" ? await answer(conn, path) : answer;
    if (typeof said === "string" || said instanceof Uint8Array) await conn.write(said);
  });
  const { port } = server.addr;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    async [Symbol.asyncDispose]() {
      await server.shutdown({ timeout: 0 });
    },
  };
}

/** Whole, byte by byte, and in two at every place. */
export function* everyCut(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield Array.from(bytes, (byte) => Uint8Array.of(byte));
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Each character as the byte with its number. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Packs bytes with the platform's streams. */
export async function pack(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Puts pieces behind each other; text as Latin-1. */
export function join(...pieces: (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const all = pieces.map((piece) => typeof piece === "string" ? latin1(piece) : piece);
  const joined = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of all) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
