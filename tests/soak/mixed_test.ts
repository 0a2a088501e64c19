/**
 * Clients of every kind at once: some that behave, and floods, resets, half-closers, readers that never
 * read, silent ones and slow ones. Afterwards the server has what it had before, it never had more than
 * its limits allow, and those that behave lost nothing and did not wait.
 */
import { assert, assertEquals } from "@std/assert";
import { Slowdown } from "../_util/flood.ts";
import { Peer, testWith } from "../_util/peers.ts";
import { soakMinutes } from "../_util/soak.ts";
import { limits, MAX_LINE } from "./_mixed_limits.ts";

const loadTest = testWith("python3", "Linux");

/** How long it goes on, in seconds. */
const SECONDS = soakMinutes > 0 ? soakMinutes * 60 : 5;
/** Clients that play roles at one time. */
const WORKERS = 60;
/** What those that behave may wait at the median and at most, in milliseconds, on an idle machine. */
const MEDIAN = 50;
const MOST = 200;
/** The most that a connection's read buffer may hold. */
const READ_BUFFER = 256 * 1024;
/** What the engine may keep before it collects: garbage, and code it has compiled. */
const GARBAGE = 256 * 1024 * 1024;
/** How long the last connections may take to end after their clients have gone, in milliseconds. */
const SETTLE = 15_000;

loadTest({
  name: `${SECONDS} s of clients of every kind leave nothing behind and disturb no one`,
  timeout: SECONDS * 1000 + 90_000,
  retry: SECONDS > 5 ? 0 : 2, // a machine that is busy with something else disturbs the bounds
  async fn() {
    await using control = serve();
    await using server = serve();
    const [port, idle] = [await server.line(), await control.line()];
    await exchange(port, idle, 0.5); // what is only loaded once
    const [descriptors, memory] = [countDescriptors(server.pid), residentMemory(server.pid)];
    const seed = soakMinutes > 0 ? Date.now() % 2 ** 31 : 1;
    await using mixed = script("_mixed_clients.py", [port, SECONDS, seed, WORKERS], 10);
    assertEquals(await mixed.line(), "playing");
    const slowdown = new Slowdown(server);
    using most = new HighWater(() => residentMemory(server.pid));
    const steady = await exchange(port, idle, SECONDS);
    const factor = slowdown.factor();
    const played = JSON.parse(await mixed.line());
    assertEquals(played.wrong, [], `seed ${seed}`);
    const left = await settled(() => countDescriptors(server.pid) <= descriptors);
    report({ seed, steady, counts: played.counts, descriptors, memory, most: most.value, factor });
    assert(left, `${countDescriptors(server.pid)} descriptors are left of ${descriptors}`);
    const bound = memory + WORKERS * (limits.maxWriteQueue + READ_BUFFER + MAX_LINE) + GARBAGE;
    assert(most.value <= bound, `${most.value} bytes of memory, the bound is ${bound}`);
    const { waits, controls } = steady;
    const figures = JSON.stringify({ waits, controls, factor });
    assert(waits.median <= MEDIAN * factor + controls.median, figures);
    assert(waits.most <= MOST * factor + controls.most, figures);
    server.kill("SIGTERM");
    const stats = JSON.parse(await server.line());
    assertEquals([stats.active, (await server.status).code], [0, 0]);
  },
});

/** What the clients that behave have seen. */
interface Steady {
  messages: number;
  waits: { median: number; most: number };
  controls: { median: number; most: number };
}

/** Lets clients that behave talk to the server and to an idle control. */
async function exchange(port: string, idle: string, seconds: number): Promise<Steady> {
  await using clients = script("_steady_clients.py", [port, idle, seconds], 0);
  const { wrong, ...steady } = JSON.parse(await clients.line());
  assertEquals(wrong, undefined);
  return steady;
}

function serve(): Peer {
  return new Peer(Deno.execPath(), ["run", "-A", pathOf("_mixed_server.ts")]);
}

function script(name: string, args: (string | number)[], niceness: number): Peer {
  const command = ["-n", `${niceness}`, "python3", "-u", pathOf(name), ...args.map(String)];
  return new Peer("nice", command);
}

function pathOf(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

function countDescriptors(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Resident memory in bytes (proc(5)). */
function residentMemory(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** The most that a figure was, looked at five times a second. */
class HighWater implements Disposable {
  value: number;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(look: () => number) {
    this.value = look();
    this.#timer = setInterval(() => {
      this.value = Math.max(this.value, look());
    }, 200);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Looks until something holds, for a bounded time: the system tells no one that a descriptor is free. */
async function settled(holds: () => boolean): Promise<boolean> {
  const until = performance.now() + SETTLE;
  while (!holds() && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return holds();
}

function report(found: unknown): void {
  if (soakMinutes > 0) console.log(JSON.stringify(found));
}
