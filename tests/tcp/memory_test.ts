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

/**
 * Resident memory without what V8 keeps in reserve, a third of it: how much that is depends on when the
 * collector runs, which a busy machine delays, and most of it is there once for all connections.
 */
const IN_USE = `() => {
  gc();
  const { rss, heapTotal, heapUsed } = Deno.memoryUsage();
  return rss - heapTotal + heapUsed;
}`;

linuxTest({
  name: "an idle connection with a handler waiting costs at most 9 KB, V8's reserve not counted",
  timeout: 60_000,
  async fn() {
    const script = `
      const inUse = ${IN_USE};
      const server = net.serveTcp({ onListen: (addr) => console.log(addr.port) }, async (conn) => {
        for await (const chunk of conn) await conn.write(chunk);
      });
      for await (const wanted of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
        const { active } = server.stats();
        console.log(active === Number(wanted) ? inUse() : 0);
      }
    `;
    await using child = deno(script, { flags: ["--v8-flags=--expose-gc"] });
    const port = await child.line();
    /** Bytes in use, once so many connections are being served. */
    const inUseWith = async (connections: number) => {
      while (true) {
        await child.type(`${connections}\n`);
        const bytes = Number(await child.line());
        if (bytes > 0) return bytes;
      }
    };
    await using few = python(CALLER, port, 200); // what it takes to serve anybody at all
    assertEquals(await few.line(), "connected");
    const before = await inUseWith(200);
    await using many = python(CALLER, port, COUNT);
    assertEquals(await many.line(), "connected");
    const each = (await inUseWith(200 + COUNT) - before) / COUNT;
    assert(each > 0 && each <= 9 * 1024, `each costs ${Math.round(each)} bytes`);
  },
});
