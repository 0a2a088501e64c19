/**
 * Ending a TCP connection with a reset.
 *
 * The runtime's `close()` always sends the end of the stream first, so a peer cannot tell a connection
 * that was cut in the middle from one that has ended. On Linux, connecting a socket to no address
 * (`AF_UNSPEC`, connect(2)) sends a reset (RFC 9293 section 3.10.5, ABORT). That takes a call of the
 * system that the runtime does not have, so it happens only where `--allow-ffi` was granted (`-A`
 * grants it); elsewhere a connection that is cut ends like any other.
 *
 * @module
 */
import { parseIp } from "../common/cidr.ts";
import type { NamedSocket } from "./_link.ts";

/** The families of addresses, on Linux. */
const AF_INET = 2;
const AF_INET6 = 10;

/** A `sockaddr` of the family `AF_UNSPEC`, which is 0. */
const UNSPECIFIED = new Uint8Array(16);

/** The calls of the system: connect(2), getpeername(2) and getsockname(2). */
interface System {
  connect(fd: number, address: BufferSource, length: number): number;
  getpeername(fd: number, address: BufferSource, length: BufferSource): number;
  getsockname(fd: number, address: BufferSource, length: BufferSource): number;
}

let system: System | undefined;

/** Resets a TCP connection if this process may; the socket is closed by the caller afterwards. */
export function reset(link: NamedSocket): void {
  if (link.transport === "unix" || !mayCall()) return;
  const fd = descriptorOf(link.socket) ?? searchDescriptor(link);
  if (fd === undefined) return;
  openSystem()?.connect(fd, UNSPECIFIED, UNSPECIFIED.length);
}

/** All sockets that are cut in one go share the library: kept for longer, it would look like a leak. */
function openSystem(): System | undefined {
  if (system !== undefined) return system;
  try {
    const library = Deno.dlopen("libc.so.6", {
      connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
      getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
      getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    });
    system = library.symbols;
    queueMicrotask(() => {
      system = undefined;
      library.close();
    });
  } catch {
    // Another C library: the connection ends like any other.
  }
  return system;
}

/** Asks without a prompt: no one should be asked for a permission because a peer misbehaves. */
function mayCall(): boolean {
  return Deno.build.os === "linux" &&
    Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** The descriptor that the runtime notes on sockets it has accepted. */
function descriptorOf(socket: object): number | undefined {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    if (symbol.description !== "Deno.internal.fd") continue;
    const fd: unknown = Reflect.get(socket, symbol);
    if (typeof fd === "number" && fd >= 0) return fd;
  }
  return undefined;
}

/** The descriptors of connected sockets by both ends; `null` for two that are alike in them. */
type Index = Map<string, number | null>;

let index: Index | undefined;

/**
 * Finds the descriptor of any other socket of this process by its ends. All sockets that are cut in one
 * go share one look. (The tables in /proc would need a permission, list the connections of the whole
 * machine, and leave rows out while they change.)
 */
function searchDescriptor({ localAddr, remoteAddr }: NamedSocket): number | undefined {
  if (!("port" in localAddr && "port" in remoteAddr)) return undefined;
  if (index === undefined) {
    index = indexSockets();
    queueMicrotask(() => index = undefined); // descriptors are used again soon
  }
  const peer = `${parseIp(remoteAddr.hostname)?.value} ${remoteAddr.port}`;
  return index.get(`${localAddr.port} ${peer}`) ?? undefined;
}

/** So many numbers in a row that belong to no connected socket, and there are no more. */
const MAX_UNUSED = 4_096;

function indexSockets(): Index {
  const sockets: Index = new Map();
  const calls = openSystem();
  if (calls === undefined) return sockets;
  const address = new Uint8Array(28); // a `sockaddr_in6`
  const length = new Uint32Array(1);
  let unused = 0;
  for (let fd = 0; unused < MAX_UNUSED; fd++) {
    length[0] = address.length;
    unused++;
    if (calls.getpeername(fd, address, length) !== 0) continue;
    unused = 0;
    const peer = nameOf(address);
    length[0] = address.length;
    if (peer === undefined || calls.getsockname(fd, address, length) !== 0) continue;
    const ends = `${portIn(address)} ${peer}`;
    sockets.set(ends, sockets.has(ends) ? null : fd);
  }
  return sockets;
}

/** The address and port in a `sockaddr_in` or `sockaddr_in6`. */
function nameOf(address: Uint8Array): string | undefined {
  const port = portIn(address);
  const family = new Uint16Array(address.buffer, 0, 1)[0];
  if (family === AF_INET) return `${parseIp(address.subarray(4, 8).join("."))?.value} ${port}`;
  if (family !== AF_INET6) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) => {
    const at = 8 + 2 * i;
    return ((address[at] ?? 0) * 256 + (address[at + 1] ?? 0)).toString(16);
  });
  return `${parseIp(groups.join(":"))?.value} ${port}`;
}

function portIn([, , high = 0, low = 0]: Uint8Array): number {
  return high * 256 + low;
}
