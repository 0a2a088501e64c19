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
import type { Link } from "./_link.ts";

/** A `sockaddr` of the family `AF_UNSPEC`, which is 0. */
const UNSPECIFIED = new Uint8Array(16);

type Connect = (fd: number, address: BufferSource, length: number) => number;

let connect: Connect | undefined;

/** Resets a TCP connection if this process may; the socket is closed by the caller afterwards. */
export function reset(link: Link): void {
  if (link.transport === "unix" || !mayCall()) return;
  const fd = descriptorOf(link.socket) ?? searchDescriptor(link);
  if (fd === undefined) return;
  systemConnect()?.(fd, UNSPECIFIED, UNSPECIFIED.length);
}

/** `connect(2)`. All sockets that are cut in one go share it: kept for longer, it would look like a leak. */
function systemConnect(): Connect | undefined {
  if (connect !== undefined) return connect;
  try {
    const library = Deno.dlopen("libc.so.6", {
      connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    });
    connect = library.symbols.connect;
    queueMicrotask(() => {
      connect = undefined;
      library.close();
    });
  } catch {
    // Another C library: the connection ends like any other.
  }
  return connect;
}

/** Asks without a prompt: no one should be asked for a permission because a peer misbehaves. */
function mayCall(): boolean {
  return Deno.build.os === "linux" &&
    Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function mayRead(): boolean {
  return Deno.permissions.querySync({ name: "read", path: "/proc/self" }).state === "granted";
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

/** Sockets by the ports of both ends; `null` for two sockets that are alike in them. */
type Index = Map<string, number | null>;

let index: Index | undefined;

/**
 * Finds the descriptor of any other socket of this process by its ports (proc(5)). All sockets that are
 * cut in one go share one look.
 */
function searchDescriptor({ localAddr, remoteAddr }: Link): number | undefined {
  if (!("port" in localAddr && "port" in remoteAddr)) return undefined;
  if (!mayRead()) return undefined;
  if (index === undefined) {
    index = indexSockets();
    queueMicrotask(() => index = undefined); // descriptors are used again soon
  }
  return index.get(`${hex(localAddr.port)} ${hex(remoteAddr.port)}`) ?? undefined;
}

function indexSockets(): Index {
  const sockets: Index = new Map();
  try {
    const descriptors = ownSockets();
    for (const table of ["tcp", "tcp6"]) {
      for (const row of Deno.readTextFileSync(`/proc/self/net/${table}`).split("\n").slice(1)) {
        const [, local, remote, , , , , , , inode = ""] = row.trim().split(/\s+/);
        const fd = descriptors.get(inode);
        if (fd === undefined || local === undefined || remote === undefined) continue;
        const ports = `${local.slice(-4)} ${remote.slice(-4)}`;
        sockets.set(ports, sockets.has(ports) ? null : fd);
      }
    }
  } catch {
    // A system that shows nothing in /proc: the connection ends like any other.
  }
  return sockets;
}

/** The descriptors of this process's sockets, by the system's number of the socket. */
function ownSockets(): Map<string, number> {
  const descriptors = new Map<string, number>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/self/fd/${name}`)) ?? [];
    if (inode !== undefined) descriptors.set(inode, Number(name));
  }
  return descriptors;
}

function linkTarget(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return ""; // closed meanwhile
  }
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
