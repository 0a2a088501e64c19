/** A flood of datagrams leaves timers, other peers and the end of the server their turn. */
import { assert, assertEquals } from "@std/assert";
import { bindUdp, type Datagram, serveUdp, sessions } from "../../udp/mod.ts";
import { testWith } from "../_util/peers.ts";
import { at, backends, type Peer, python, quiet, text } from "./_util.ts";

const pythonTest = testWith("python3");

const limit = { timeout: 60_000 };

/** Sends 200 datagrams from 20 ports again and again, with a pause in seconds, until its input ends. */
function flood(port: number, pause: number): Peer {
  return python(
    `
import select, socket, sys
to = ("127.0.0.1", int(sys.argv[1]))
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
print("flooding", flush=True)
while not select.select([sys.stdin], [], [], float(sys.argv[2]))[0]:
    for s in sockets:
        for _ in range(10): s.sendto(b"flood", to)
`,
    port,
    pause,
  );
}

/** What a handler does with each datagram. */
function work(): void {
  const until = performance.now() + 0.01;
  while (performance.now() < until);
}

/** Whether a datagram is to be answered; those of the flood are only worked on. */
function isQuestion({ data }: Datagram): boolean {
  work();
  return text(data) !== "flood";
}

interface Serving extends AsyncDisposable {
  readonly bound: { readonly addr: Deno.NetAddr };
  stop(): Promise<unknown>;
}

type Backend = typeof backends[number];

const WAYS: Record<string, (backend: Backend) => Promise<Serving>> = {
  async serveUdp(backend) {
    const server = await serveUdp(
      { ...quiet, backend },
      (datagram) => isQuestion(datagram) ? datagram.data : undefined,
    );
    const stop = () => server.shutdown();
    return { bound: server, stop, [Symbol.asyncDispose]: () => stop() };
  },
  async "serveUdp with promises and a full queue"(backend) {
    const server = await serveUdp({ ...quiet, backend, concurrency: 4 }, async (datagram) => {
      await Promise.resolve();
      return isQuestion(datagram) ? datagram.data : undefined;
    });
    const stop = () => server.shutdown();
    return { bound: server, stop, [Symbol.asyncDispose]: () => stop() };
  },
  async "for await"(backend) {
    const endpoint = await bindUdp({ backend });
    const loop = (async () => {
      for await (const datagram of endpoint) {
        if (isQuestion(datagram)) datagram.reply(datagram.data);
      }
    })();
    const stop = () => Promise.all([endpoint.close(), loop]);
    return { bound: endpoint, stop, [Symbol.asyncDispose]: async () => void await stop() };
  },
  async sessions(backend) {
    const endpoint = await bindUdp({ backend });
    const all = sessions(endpoint, async (session) => {
      for await (const datagram of session) if (isQuestion(datagram)) datagram.reply(datagram.data);
    });
    const stop = () => Promise.all([endpoint.close(), all.finished]);
    return { bound: endpoint, stop, [Symbol.asyncDispose]: async () => void await stop() };
  },
};

for (const backend of backends) {
  for (const [name, serve] of Object.entries(WAYS)) {
    pythonTest(`${backend}: a flood and 10 µs for each datagram: ${name}`, limit, async () => {
      await using serving = await serve(backend);
      await using flooding = flood(
        at(serving.bound).port,
        backend === "deno" ? 0.002 : 0.02, // each several times what it can handle here
      );
      assertEquals(await flooding.line(), "flooding");
      await using client = await bindUdp({ backend: "deno" });
      const waits: number[] = [];
      let last = performance.now();
      const timer = setInterval(() => {
        waits.push(performance.now() - last);
        last = performance.now();
      }, 5);
      for (let i = 0; i < 3; i++) { // the kernel drops most of what comes in a flood
        const { data } = await client.request(`${i}`, at(serving.bound), {
          timeout: 20,
          maxTimeout: 20,
          retries: 1_000,
        });
        assertEquals(text(data), `${i}`);
      }
      while (waits.length < 10) await new Promise((resolve) => setTimeout(resolve, 5));
      clearInterval(timer);
      await serving.stop(); // while the flood goes on
      waits.sort((a, b) => a - b);
      const median = waits[waits.length >> 1] ?? 0;
      assert(median < 200, `timers of 5 ms came after ${median} ms at the median`);
      await flooding.endInput();
    });
  }

  Deno.test(`${backend}: what waits in a queue does not hold up timers`, limit, async () => {
    await using endpoint = await bindUdp({ backend });
    await using sender = await bindUdp({ backend });
    const count = 500;
    for (let i = 0; i < count; i++) {
      await sender.send("x", at(endpoint));
      while (endpoint.stats().datagramsReceived <= i) await new Promise((r) => setTimeout(r, 0));
    }
    const { queued } = endpoint.stats();
    let taken = 0;
    let fired = -1;
    setTimeout(() => fired = taken, 0);
    for await (const _ of endpoint) {
      const until = performance.now() + 0.1;
      while (performance.now() < until);
      if (++taken === queued) break;
    }
    assert(fired >= 0 && fired < queued, `the timer fired after ${fired} of ${queued}`);
  });
}
