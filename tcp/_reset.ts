/**
 * Ending a TCP connection with a reset.
 *
 * The runtime's `close()` always sends the end of the stream first, so a peer cannot tell a connection
 * that was cut in the middle from one that has ended. On Linux, connecting a socket to no address
 * (`AF_UNSPEC`, connect(2)) sends a reset (RFC 9293 section 3.10.5, ABORT). That takes a call of the
 * system that the runtime does not have, so it happens only where `--allow-ffi` was granted (`-A`
 * grants it); elsewhere a connection that is cut ends like any other. TLS needs none of this: there, an
 * end without its `close_notify` is an error already.
 *
 * @module
 */
import type { SocketAddress } from "../errors.ts";
import type { Link } from "./_link.ts";

/** A `sockaddr` of the family `AF_UNSPEC`, which is 0. */
const UNSPECIFIED = new Uint8Array(16);

/** Resets a TCP connection if this process may; the socket is closed by the caller afterwards. */
export function reset(link: Link): void {
  if (link.transport !== "tcp" || !mayCall()) return;
  const fd = descriptorOf(link.socket) ?? searchDescriptor(link);
  if (fd === undefined) return;
  try {
    // For each call: cuts are rare, and a library that stays loaded looks like a leak.
    const library = Deno.dlopen("libc.so.6", {
      connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    });
    library.symbols.connect(fd, UNSPECIFIED, UNSPECIFIED.length);
    library.close();
  } catch {
    // Another C library: the connection ends like any other.
  }
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

/** Finds the descriptor of a socket that this process has connected, by its addresses. */
function searchDescriptor({ localAddr, remoteAddr }: Link): number | undefined {
  try {
    const inode = inodeOf(localAddr, remoteAddr);
    if (inode === undefined) return undefined;
    for (const { name } of Deno.readDirSync("/proc/self/fd")) {
      if (linkTarget(`/proc/self/fd/${name}`) === `socket:[${inode}]`) return Number(name);
    }
  } catch {
    // Without the permission to read /proc the connection ends like any other.
  }
  return undefined;
}

/** The number of the socket in the system's table of connections (proc(5), /proc/net/tcp). */
function inodeOf(local: SocketAddress, remote: SocketAddress): string | undefined {
  if (!("port" in local && "port" in remote)) return undefined;
  const ports = [local.port, remote.port].map((port) =>
    port.toString(16).toUpperCase().padStart(4, "0")
  );
  const matches = ["tcp", "tcp6"].flatMap((table) =>
    Deno.readTextFileSync(`/proc/self/net/${table}`).split("\n").slice(1)
      .map((row) => row.trim().split(/\s+/))
      .filter(([, from, to]) => from?.endsWith(`:${ports[0]}`) && to?.endsWith(`:${ports[1]}`))
  );
  // Two connections between the same ports of different addresses: better none than the wrong one.
  return matches.length === 1 ? matches[0]?.[9] : undefined;
}

function linkTarget(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}
