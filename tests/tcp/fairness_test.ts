/**
 * Fair turns between busy connections, counted in messages. The load comes from a process of its own,
 * so that only the server's fairness is measured. It is too slow to starve anybody by itself on most
 * machines: what the rounds do is tested in internal/turns_test.ts, here that nobody is left behind.
 */
import { assert } from "@std/assert";
import { python, testWith } from "../_util/peers.ts";
import { echo, portOf, tcp } from "../_util/transports.ts";

const loadTest = testWith("python3", "Linux");

/**
 * Keeps one message of 64 bytes in flight on each of so many connections until so many were answered,
 * and prints how many the least and the most served connection got.
 */
const LOAD = `
import resource, select, socket, sys
port, count, total = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
message = b"x" * 64
epoll = select.epoll()
socks = {}
for _ in range(count):
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    socks[s.fileno()] = s
    epoll.register(s.fileno(), select.EPOLLIN)
served = dict.fromkeys(socks, 0)
missing = dict.fromkeys(socks, 64)
for s in socks.values(): s.send(message)
while total > 0:
    for fd, _ in epoll.poll():
        missing[fd] -= len(socks[fd].recv(64))
        if missing[fd] == 0:
            missing[fd] = 64
            served[fd] += 1
            total -= 1
            socks[fd].send(message)
print(min(served.values()), max(served.values()))
`;

/*
 * The count ends in the middle of a round. Of 256, the least served got 0.75 to 0.99 of the most, of 1,000
 * at least 0.6; without rounds 0.1 to 0.4, and nothing of 1,000.
 */
for (
  const { connections, messages, least } of [
    { connections: 50, messages: 20_000, least: 0.8 },
    { connections: 256, messages: 100_000, least: 0.5 },
    { connections: 1_000, messages: 100_000, least: 0.3 },
  ]
) {
  for (const style of ["read", "iterate"] as const) {
    loadTest({
      name:
        `of ${connections} busy connections the least served gets ${least} of the most (${style})`,
      timeout: 60_000,
      async fn() {
        await using server = tcp.serve(
          {},
          style === "iterate" ? echo : async (conn) => {
            const buffer = new Uint8Array(256);
            for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
              await conn.write(buffer.subarray(0, n));
            }
          },
        );
        await using load = python(LOAD, portOf(server), connections, messages);
        const [min = 0, max = 0] = (await load.line()).split(" ").map(Number);
        assert(min >= least * max, `the least got ${min} of ${messages}, the most ${max}`);
        await load.status;
      },
    });
  }
}
