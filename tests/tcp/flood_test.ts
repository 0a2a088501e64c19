/**
 * Clients that write as fast as they can stop no one else: others are answered, timers fire, signals
 * arrive and the server shuts down, whatever the way of reading. Whoever floods, asks or serves is a
 * process of its own. An idle server beside it says what the machine itself makes everyone wait, and
 * the system how much of the time the server had to wait for a processor: the bounds are those of a
 * processor of its own.
 */
import { assert, assertEquals } from "@std/assert";
import { ask, flood, type FloodKind, median, Slowdown, type Waits } from "../_util/flood.ts";
import { Peer, testWith } from "../_util/peers.ts";
import { isSoak } from "../_util/soak.ts";

const loadTest = testWith("python3", "Linux");

/** What a client that behaves may wait at the median and at most, in milliseconds. */
const MEDIAN = 50;
const MOST = 200;
/** How late a timer of the server may be. */
const LATEST = 200;
/** How long a server may take to end: its shutdown waits 200 ms for handlers. */
const STOP = 2_000;

/** One flood. */
interface Case {
  way: string;
  kind: FloodKind;
  clients: number;
  /** Microseconds of work for each message. */
  work: number;
}

/** The kinds of flood that a way of reading can tell apart. */
const WAYS: Readonly<Record<string, FloodKind[]>> = {
  read: ["lines"],
  iterate: ["lines"],
  stream: ["lines"],
  readLine: ["lines"],
  framed: ["lines", "frames", "broken"],
  receive: ["lines", "frames", "broken"],
  batches: ["lines", "frames", "broken"],
  request: ["lines", "frames", "broken"],
};

/** What `deno task test` takes of all that. */
const SAMPLE: readonly Case[] = [
  { way: "read", kind: "lines", clients: 10, work: 0 },
  { way: "iterate", kind: "lines", clients: 1, work: 10 },
  { way: "stream", kind: "lines", clients: 100, work: 0 },
  { way: "readLine", kind: "lines", clients: 1, work: 0 },
  { way: "readLine", kind: "lines", clients: 100, work: 10 },
  { way: "framed", kind: "lines", clients: 1, work: 0 },
  { way: "framed", kind: "frames", clients: 10, work: 10 },
  { way: "framed", kind: "broken", clients: 1, work: 0 },
  { way: "receive", kind: "frames", clients: 100, work: 0 },
  { way: "receive", kind: "lines", clients: 1, work: 10 },
  { way: "batches", kind: "lines", clients: 1, work: 10 },
  { way: "batches", kind: "broken", clients: 10, work: 0 },
  { way: "request", kind: "lines", clients: 10, work: 0 },
];

const ALL: readonly Case[] = Object.entries(WAYS).flatMap(([way, kinds]) =>
  kinds.flatMap((kind) =>
    [1, 10, 100].flatMap((clients) => [0, 10].map((work) => ({ way, kind, clients, work })))
  )
);

for (const each of isSoak ? ALL : SAMPLE) {
  const { way, kind, clients, work } = each;
  loadTest({
    name: `${clients} clients flood ${way} with ${kind}, ${work} us of work: others are served`,
    timeout: 60_000,
    retry: 2, // a machine that is busy with something else disturbs the bounds
    fn: () => survive(each),
  });
}

async function survive({ way, kind, clients, work }: Case): Promise<void> {
  await using control = serve("read", "lines", 0);
  await using server = serve(way, kind, work);
  const [port, idle] = [Number(await server.line()), Number(await control.line())];
  const slowdown = new Slowdown(server);
  await using _flood = await flood(port, kind, clients);
  const waits = await ask(port, idle, {
    count: 30,
    message: kind === "frames" ? "\x05hello" : "hello\n",
    isGreeted: way === "request",
  });
  const factor = slowdown.factor();
  const late = await stop(server);
  const idleLate = await stop(control);
  check(waits, factor);
  const found = `; it ran at 1/${factor.toFixed(1)} of its speed`;
  assert(
    late.timer <= LATEST * factor + idleLate.timer,
    `a timer was ${late.timer} ms late${found}`,
  );
  assert(late.stop <= STOP * factor + idleLate.stop, `it took ${late.stop} ms to stop${found}`);
}

function check({ first, waits, controls }: Waits, factor: number): void {
  const [most, idleMost] = [Math.max(first, ...waits), Math.max(...controls)];
  const [middle, idleMiddle] = [median(waits), median(controls)];
  const found = `median ${middle.toFixed(1)} ms, at most ${most.toFixed(1)} ms; ` +
    `of an idle server ${idleMiddle.toFixed(1)} and ${idleMost.toFixed(1)} ms; ` +
    `it ran at 1/${factor.toFixed(1)} of its speed`;
  if (Deno.env.has("TINCAN_FLOOD_FIGURES")) console.log(found);
  assert(middle <= MEDIAN * factor + idleMiddle, found);
  assert(most <= MOST * factor + idleMost, found);
}

function serve(way: string, kind: FloodKind, work: number): Peer {
  const path = new URL("_flood_server.ts", import.meta.url).pathname;
  return new Peer(Deno.execPath(), ["run", "-A", path, way, kind, `${work}`]);
}

/** Ends a server in the middle of everything; how late its timer was and how long the end took. */
async function stop(server: Peer): Promise<{ timer: number; stop: number }> {
  const begin = performance.now();
  server.kill("SIGTERM");
  // A server that hears no signal is killed, and says nothing more.
  const kill = setTimeout(() => server.kill(), 8_000);
  try {
    const timer = Number(await server.line());
    assertEquals(await server.line(), "stopped");
    assertEquals((await server.status).code, 0);
    return { timer, stop: performance.now() - begin };
  } finally {
    clearTimeout(kill);
  }
}
