/**
 * Rejections that no one awaits: what a peer does must never end a process, and what a program does
 * wrong must not pass unseen.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { FrameError, LimitError, lines, text } from "../../mod.ts";
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
    await using pair = await connectedPair(tcp, { client: { maxWriteQueue: 10 } });
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
