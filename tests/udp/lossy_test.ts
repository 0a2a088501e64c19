/**
 * Requests over a network that loses, doubles, delays and reorders: two network namespaces, joined by
 * `tc netem` where the kernel has it, and by a bad link of our own made of TUN interfaces. It needs
 * root on Linux and is skipped elsewhere.
 */
import { assert, assertEquals } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { backends, Peer } from "./_util.ts";

const networkPythonTest = testWith("network", "python3");
const networkTcTest = testWith("network", "tc");

const limit = { timeout: 90_000 };

async function ip(...args: string[]): Promise<boolean> {
  try {
    const command = new Deno.Command("ip", { args, stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false; // there is no such program
  }
}

/** Two namespaces that last as long as the test. */
class Namespaces implements AsyncDisposable {
  readonly names = [`tincan-a-${Deno.pid}`, `tincan-b-${Deno.pid}`] as const;

  static async make(): Promise<Namespaces | null> {
    const namespaces = new Namespaces();
    for (const name of namespaces.names) {
      if (!await ip("netns", "add", name)) {
        await namespaces[Symbol.asyncDispose]();
        return null;
      }
    }
    return namespaces;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.names) await ip("netns", "delete", name);
  }
}

async function joinByNetem([a, b]: readonly [string, string]): Promise<boolean> {
  const made = await ip(
    "-n",
    a,
    "link",
    "add",
    "veth0",
    "type",
    "veth",
    "peer",
    "veth0",
    "netns",
    b,
  );
  if (!made) return false;
  for (const [number, name] of [a, b].entries()) {
    const netem = "netem delay 50ms 10ms reorder 25% 50% loss 30% duplicate 10%".split(" ");
    const up = await ip("-n", name, "addr", "add", `10.77.0.${number + 1}/24`, "dev", "veth0") &&
      await ip("-n", name, "link", "set", "veth0", "up") &&
      await ip("-n", name, "link", "set", "lo", "up") &&
      await ip("netns", "exec", name, "tc", "qdisc", "add", "dev", "veth0", "root", ...netem);
    if (!up) return false;
  }
  return true;
}

/** A program of this folder, run inside a namespace. */
function inside(namespace: string, program: string, ...args: string[]): Peer {
  const path = new URL(program, import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "--unstable-net", "--allow-net", path];
  return new Peer("ip", ["netns", "exec", namespace, ...deno, ...args]);
}

async function exchange([a, b]: readonly [string, string], backend: string): Promise<void> {
  await using server = inside(b, "_lossy_server.ts", "10.77.0.2", "7777", backend);
  await using client = inside(a, "_lossy_client.ts", "10.77.0.2", "7777", backend);
  const seen = JSON.parse(await client.line());
  assertEquals([seen.answered, seen.wrong], [1_000, 0]);
  assert(seen.retransmits > 300, "the network was not bad at all");
  await server.endInput();
  const served = JSON.parse(await server.line());
  assertEquals([served.requests, served.most], [1_000, 1]);
  assert(served.duplicates > 100, "no duplicate was recognised");
}

for (const backend of backends) {
  networkTcTest(`${backend}: 1,000 requests over tc netem`, limit, async () => {
    await using namespaces = await Namespaces.make();
    if (namespaces === null || !await joinByNetem(namespaces.names)) {
      console.log("skipped: this machine cannot make namespaces with tc netem between them");
      return;
    }
    await exchange(namespaces.names, backend);
  });

  networkPythonTest(
    `${backend}: 1,000 requests over a bad link of TUN interfaces`,
    limit,
    async () => {
      await using namespaces = await Namespaces.make();
      if (namespaces === null || !await Deno.stat("/dev/net/tun").catch(() => null)) {
        console.log("skipped: this machine cannot make namespaces with TUN interfaces");
        return;
      }
      const script = new URL("_lossy_link.py", import.meta.url).pathname;
      await using link = new Peer("python3", ["-u", script, ...namespaces.names]);
      assertEquals(await link.line(), "ready");
      await exchange(namespaces.names, backend);
      await link.endInput();
      const [, lost, , doubled] = (await link.line()).split(" ").map(Number);
      assert((lost ?? 0) > 500 && (doubled ?? 0) > 100);
    },
  );
}
