/**
 * The web stream of what arrives, mixed with the other ways of reading: the stream takes memory over,
 * and no one else may touch it from then on.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { lines, text } from "../../mod.ts";
import { connectedPair, text as textOf, transports, utf8 } from "../_util/transports.ts";

const limit = { timeout: 20_000 };

/** Takes a chunk's memory away, as `postMessage` with a transfer does. */
function transfer(chunk: Uint8Array<ArrayBuffer> | undefined): string | null {
  const seen = chunk === undefined ? null : textOf(chunk);
  chunk?.buffer.transfer();
  return seen;
}

/** As long as the memory that a reader begins with: such a chunk need not be copied. */
const WHOLE = `${"x".repeat(255)}\n`;

for (const transport of transports) {
  Deno.test(`${transport.name}: a stream after a receive that timed out`, limit, async () => {
    await using pair = await connectedPair(transport);
    const messages = pair.client.framed(text(lines()));
    await assertRejects(() => messages.receive({ timeout: 0 }), Deno.errors.TimedOut);
    messages.release(); // a read of the socket is outstanding
    const reader = pair.client.readable.getReader();
    for (let i = 0; i < 4; i++) {
      const next = reader.read();
      await pair.server.write(WHOLE);
      let size = transfer((await next).value)?.length ?? 0;
      while (size < WHOLE.length) size += transfer((await reader.read()).value)?.length ?? 0;
    }
    reader.releaseLock();
    await pair.server.write(WHOLE);
    assertEquals((await pair.client.readLine())?.length, 255);
  });

  Deno.test(`${transport.name}: every way of reading after leaving a stream`, limit, async () => {
    await using pair = await connectedPair(transport);
    const { client, server } = pair;
    for (let i = 0; i < 3; i++) {
      await server.write(WHOLE);
      let size = 0;
      for await (const chunk of client.readable.values({ preventCancel: true })) {
        size += transfer(chunk)?.length ?? 0;
        if (size === WHOLE.length) break;
      }
      await server.write("a line\nuntil;12345and a chunk");
      assertEquals(await client.readLine(), "a line");
      assertEquals(textOf(await client.readUntil(";")), "until;");
      assertEquals(textOf(await client.readExactly(5)), "12345");
      for await (const chunk of client) {
        assertEquals(textOf(chunk), "and a chunk");
        break;
      }
    }
  });

  Deno.test(`${transport.name}: chunks handed out stay what they were`, limit, async () => {
    await using pair = await connectedPair(transport);
    const { client, server } = pair;
    await server.write("kept\n" + "x".repeat(300));
    const kept = await client.readUntil("\n");
    const reader = client.readable.getReader();
    let size = 0;
    while (size < 300) {
      const { value } = await reader.read();
      size += value?.length ?? 0;
      value?.buffer.transfer();
    }
    reader.releaseLock();
    assertEquals(textOf(kept), "kept\n");
    await server.write(utf8("more\n"));
    assertEquals(await client.readLine(), "more");
  });
}
