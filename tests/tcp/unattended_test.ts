/**
 * Rejections that no one awaits: what a peer does must never end a process, and what a program does
 * wrong must not pass unseen.
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connectTcp, FrameError, LimitError, lines, text } from "../../mod.ts";
import { deno } from "../_util/peers.ts";
import { pattern } from "../_util/random.ts";
import { connectedPair, tcp } from "../_util/transports.ts";

const limit = { timeout: 20_000 };
const TOO_MUCH = pattern(24 * 1024 * 1024);

/** Runs `body` and says which rejections no one has looked at; they do not end the test. */
async function unhandledIn(body: () => Promise<void>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const listen = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    seen.push(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", listen);
  try {
    await body();
    await new Promise((resolve) => setTimeout(resolve, 0)); // they are told of in the next turn
  } finally {
    globalThis.removeEventListener("unhandledrejection", listen);
  }
  return seen;
}

Deno.test("flush, send and write may be left alone when the peer goes", limit, async () => {
  const unhandled = await unhandledIn(async () => {
    await using pair = await connectedPair();
    const messages = pair.client.framed(text(lines()));
    messages.send("x".repeat(60_000));
    for (let i = 0; i < 100; i++) messages.send("y".repeat(60_000));
    messages.flush();
    pair.client.write(TOO_MUCH);
    messages.flush();
    pair.server.abort();
    await assertRejects(() => messages.flush());
    messages.flush();
    messages.send("too late");
    messages.sendAll(["too", "late"]);
    pair.client.write("too late");
  });
  assertEquals(unhandled, []);
});

Deno.test("what is over a limit may be left alone", limit, async () => {
  const unhandled = await unhandledIn(async () => {
    await using pair = await connectedPair(tcp, { client: { limits: { maxWriteQueue: 10 } } });
    const messages = pair.client.framed(text(lines()));
    for (let i = 0; i < 5; i++) pair.client.write(TOO_MUCH);
    for (let i = 0; i < 5; i++) messages.send("more than fits");
    await assertRejects(() => messages.send("more than fits"), LimitError);
  });
  assertEquals(unhandled, []);
});

Deno.test("a message that a peer chose and that is no frame may be left alone", limit, async () => {
  const unhandled = await unhandledIn(async () => {
    await using pair = await connectedPair();
    const messages = pair.server.framed(text(lines()));
    await pair.client.write("hello\r\r\n");
    const chosen = await messages.receive() as string;
    messages.send(chosen);
    messages.sendAll([chosen]);
    await assertRejects(() => messages.send(chosen), FrameError);
    await messages.send("fine");
    assertEquals(await pair.client.readLine(), "fine");
  });
  assertEquals(unhandled, []);
});

Deno.test("a mistake in the program is not passed over", limit, async () => {
  const unhandled = await unhandledIn(async () => {
    await using pair = await connectedPair();
    const messages = pair.server.framed(text(lines()));
    messages.send(7 as unknown as string);
  });
  assertEquals(unhandled.map((reason) => reason instanceof TypeError), [true]);
});

/** Ways in which a handler starts something that fails later, with no one to look. */
const background = {
  "a loop over the bytes, and the peer resets": `
    run(async () => { for await (const _ of conn); });
    await forever;`,
  "a loop over the bytes, and the handler returns": `
    run(async () => { for await (const _ of conn); });`,
  "a loop over messages, and the peer resets": `
    run(async () => { for await (const _ of conn.framed(net.lines())); });
    await forever;`,
  "a loop over messages, and they are broken": `
    run(async () => { for await (const _ of conn.framed(net.netstring())); });
    await forever;`,
  "a request whose answer does not come": `
    run(async () => { await conn.framed(net.lines()).request(new Uint8Array(1), { timeout: 1 }); });
    await forever;`,
  "a line that is too long": `
    run(async () => { await conn.readLine({ maxLength: 2 }); });
    await forever;`,
  "writes to a peer that has gone": `
    run(async () => { while (true) await conn.write(new Uint8Array(100_000)); });
    await forever;`,
};

for (const [name, handler] of Object.entries(background)) {
  Deno.test(`in the background: ${name}`, limit, async () => {
    await using child = deno(`
      const forever = new Promise(() => {});
      const run = (body) => void body();
      const options = { onListen: (addr) => console.log(addr.port), onError: (error, conn) => console.log(conn.id, error.name) };
      const server = net.serveTcp(options, async (conn) => {
        if (conn.id > 1) return await conn.write("still here");
        await conn.write("ready\\n"); // a reset before that would come before the connection
        ${handler}
      });
    `);
    const port = Number(await child.line());
    await using client = await connectTcp({ port });
    assertEquals(await client.readLine(), "ready");
    await client.write("not a netstring");
    const told = child.line();
    if (name.includes("peer")) client.abort(); // a reset
    assertMatch(
      await told,
      /^1 (ConnectionReset|BrokenPipe|ClosedError|FrameError|TimedOut|LimitError)$/,
    );
    await using other = await connectTcp({ port });
    assertEquals(await other.readUntil("here") !== null, true);
    client.abort();
  });
}

Deno.test("in the background: an error of the program's own still ends it", limit, async () => {
  await using child = deno(
    `
    const server = net.serveTcp({ onListen: (addr) => console.log(addr.port) }, (conn) => {
      (async () => { await conn.readLine(); throw new Error("a mistake"); })();
      return new Promise(() => {});
    });
  `,
    { stderr: "null" },
  );
  await using client = await connectTcp({ port: Number(await child.line()) });
  await client.write("x\n");
  assertEquals((await child.status).code, 1);
});
