/** Clients that flood a server, and clients that behave, each in a process of its own. */
import { Peer, python } from "./peers.ts";

/** What a flood consists of: the bytes that are repeated. */
export const floods = {
  lines: "0a",
  frames: "0178",
  broken: "ff0a",
} as const;

/** A kind of flood. */
export type FloodKind = keyof typeof floods;

/**
 * Writes as fast as it can over so many connections, reads and forgets what comes back, and prints a
 * line when it has begun. It ends after 100 s, or when it is killed.
 */
const FLOOD = `
import select, socket, sys, time
port, count, unit = int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3])
payload = memoryview(unit * (65536 // len(unit)))
sink = bytearray(1 << 20)
epoll = select.epoll()
socks, sent, total, told = {}, {}, 0, False
for _ in range(count):
    s = socket.create_connection(("127.0.0.1", port))
    s.setblocking(False)
    socks[s.fileno()] = s
    sent[s.fileno()] = 0
    epoll.register(s.fileno(), select.EPOLLIN | select.EPOLLOUT)
begin = time.monotonic()
while socks and time.monotonic() - begin < 100:
    for fd, events in epoll.poll(1):
        s = socks[fd]
        try:
            if events & ~select.EPOLLOUT and s.recv_into(sink) == 0: raise OSError
            if events & select.EPOLLOUT:
                n = s.send(payload[sent[fd]:])
                sent[fd] = (sent[fd] + n) % len(payload)
                total += n
        except BlockingIOError:
            pass
        except OSError:
            epoll.unregister(fd)
            socks.pop(fd).close()
    if not told and (total > 1 << 20 or time.monotonic() - begin > 0.3):
        told = True
        print("flooding")
`;

/**
 * Asks the server and a control in turn, and prints the waiting times of both in milliseconds. What
 * takes longer than 5 s is not waited for.
 */
const CLIENT = `
import json, socket, sys, time
port, control, count, greeted = map(int, sys.argv[1:5])
message = bytes.fromhex(sys.argv[5])
def connect(port):
    s = socket.create_connection(("127.0.0.1", port), 5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s
def take(s):
    got = b""
    while len(got) < len(message):
        piece = s.recv(len(message) - len(got))
        if not piece: raise SystemExit("the server hung up")
        got += piece
    return got
def ask(s):
    begin = time.monotonic()
    s.sendall(message)
    take(s)
    return (time.monotonic() - begin) * 1000
waits, controls = [], []
try:
    begin = time.monotonic()
    here, there = connect(port), connect(control)
    if greeted: take(here)
    first = (time.monotonic() - begin) * 1000
    for _ in range(count):
        controls.append(ask(there))
        waits.append(ask(here))
        time.sleep(0.003)
except TimeoutError:
    waits.append(5000.0)
    first = 5000.0
print(json.dumps({"first": first, "waits": waits, "controls": controls or [0.0]}))
`;

/** What a client that behaves had to wait, in milliseconds. */
export interface Waits {
  /** To be connected, and greeted where the server begins. */
  readonly first: number;
  /** For each answer. */
  readonly waits: number[];
  /** For each answer of an idle server at the same time: what the machine itself makes it wait. */
  readonly controls: number[];
}

/** Starts clients that flood; resolves when they have begun. */
export async function flood(port: number, kind: FloodKind, count: number): Promise<Peer> {
  const args = ["-n", "10", "python3", "-u", "-c", FLOOD];
  const peer = new Peer("nice", [...args, `${port}`, `${count}`, floods[kind]], { stderr: "null" });
  await peer.line();
  return peer;
}

/** How a client behaves. */
export interface AskOptions {
  /** How often it asks. */
  count: number;
  /** What it sends, and gets back, or something of the same length. */
  message: string;
  /** Whether the server speaks first. */
  isGreeted?: boolean;
}

/** Lets a client that behaves ask a server, and a control in turn. */
export async function ask(port: number, control: number, options: AskOptions): Promise<Waits> {
  const { count, message, isGreeted = false } = options;
  const hex = new TextEncoder().encode(message).toHex();
  await using client = python(CLIENT, port, control, count, isGreeted ? 1 : 0, hex);
  return JSON.parse(await client.line());
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}
