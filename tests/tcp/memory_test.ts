/**
 * What an idle connection of a server costs.
 */
import { assert, assertEquals } from "@std/assert";
import { deno, python, testUnless, testWith } from "../_util/peers.ts";

const COUNT = 10_000;

const CALLER = `
import resource, socket, sys
port, count = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
held = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
print("connected")
sys.stdin.read()
`;

/** How many descriptors a process may have here at most. */
function maxDescriptors(): number {
  const args = ["-c", "ulimit -H -n"];
  const { stdout } = new Deno.Command("sh", { args }).outputSync();
  return Number(new TextDecoder().decode(stdout)) || Infinity;
}

const linuxTest = maxDescriptors() < COUNT + 500
  ? testUnless(`no ${COUNT} descriptors`)
  : testWith("python3", "Linux");

linuxTest({
  name: "an idle connection with a handler waiting costs at most 12 KB",
  timeout: 60_000,
  retry: 4, // resident memory also depends on when the collector of a busy machine has run
  async fn() {
    await using child = deno(`
      const server = net.serveTcp({ onListen: (addr) => console.log(addr.port) }, async (conn) => {
        for await (const chunk of conn) await conn.write(chunk);
      });
      for await (const _ of Deno.stdin.readable) {
        console.log(server.stats().active, Deno.memoryUsage().rss);
      }
    `);
    const port = await child.line();
    /** Resident bytes, once so many connections are being served. */
    const residentWith = async (connections: number) => {
      while (true) {
        await child.type("\n");
        const [active, rss = 0] = (await child.line()).split(" ").map(Number);
        if (active === connections) return rss;
      }
    };
    await using few = python(CALLER, port, 200); // what it takes to serve anybody at all
    assertEquals(await few.line(), "connected");
    const before = await residentWith(200);
    await using many = python(CALLER, port, COUNT);
    assertEquals(await many.line(), "connected");
    const each = (await residentWith(200 + COUNT) - before) / COUNT;
    assert(each > 0 && each <= 12 * 1024, `each costs ${Math.round(each)} bytes`);
  },
});
