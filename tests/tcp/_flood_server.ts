/**
 * A server that answers in one of the ways of reading, and watches its own timers.
 *
 *     deno run -A _flood_server.ts WAY KIND WORK_US
 *
 * It prints its port. On SIGTERM it prints how late its timer was at most, in milliseconds, shuts down
 * and ends.
 */
import {
  type Codec,
  type Framed,
  lengthPrefixed,
  lines,
  serveTcp,
  type TcpConnection,
  text,
} from "../../mod.ts";

const [way = "read", kind = "lines", work = "0"] = Deno.args;
/** How often the timer fires, in milliseconds. */
const INTERVAL = 50;

function codec(): Codec<Uint8Array | string> {
  const chosen = kind === "frames"
    ? lengthPrefixed({ size: 1 })
    : kind === "broken"
    ? text(lines(), { onCorrupt: "discard" })
    : text(lines());
  return chosen as Codec<Uint8Array | string>;
}

/** What a program does with each message. */
function think(): void {
  const until = performance.now() + Number(work) / 1000;
  while (performance.now() < until);
}

const ways: Record<string, (conn: TcpConnection) => Promise<void>> = {
  async read(conn) {
    const buffer = new Uint8Array(16 * 1024);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      think();
      await conn.write(buffer.subarray(0, n));
    }
  },
  async iterate(conn) {
    for await (const chunk of conn) {
      think();
      await conn.write(chunk);
    }
  },
  async readLine(conn) {
    for (let line = await conn.readLine(); line !== null; line = await conn.readLine()) {
      think();
      await conn.write(`${line}\n`);
    }
  },
  async stream(conn) {
    for await (const chunk of conn.readable) {
      think();
      await conn.write(chunk);
    }
  },
  async framed(conn) {
    const messages = conn.framed(codec());
    for await (const message of messages) await answer(messages, message);
  },
  async receive(conn) {
    const messages = conn.framed(codec());
    for (let got = await messages.receive(); got !== null; got = await messages.receive()) {
      await answer(messages, got);
    }
  },
  async batches(conn) {
    const messages = conn.framed(codec());
    for await (const batch of messages.batches()) {
      for (let i = 0; i < batch.length; i++) think();
      await messages.sendAll(batch);
    }
  },
  async request(conn) {
    const messages = conn.framed(codec());
    const question = kind === "frames" ? new Uint8Array(5) : "what?";
    while (true) {
      await messages.request(question);
      think();
    }
  },
};

async function answer<T>(messages: Framed<T>, message: T): Promise<void> {
  think();
  await messages.send(message);
}

const handler = ways[way];
if (handler === undefined) throw new Error(`there is no way ${way}`);
const server = serveTcp({ port: 0, onListen() {}, onError() {} }, handler);

let latest = 0;
let before = performance.now();
const timer = setInterval(() => {
  const now = performance.now();
  latest = Math.max(latest, now - before - INTERVAL);
  before = now;
}, INTERVAL);

Deno.addSignalListener("SIGTERM", async function stop() {
  clearInterval(timer);
  Deno.removeSignalListener("SIGTERM", stop);
  console.log(Math.max(latest, performance.now() - before - INTERVAL).toFixed(1));
  await server.shutdown({ timeout: 200 });
  console.log("stopped");
});

console.log(server.addr.port);
