/**
 * UDP echo beside its controls, all in one run: the plain Deno loop, and node:dgram under Deno and
 * under Node.
 *
 *     deno run -A bench/udp_bench.ts [--rounds 9] [--seconds 1]
 *
 * Every server gets its load in turn, round after round. Medians are shown; only the ratios mean
 * anything elsewhere. Without a C compiler there is no load.
 */
import {
  buildLoad,
  compareEcho,
  denoSubject,
  isInstalled,
  type Load,
  nodeSubject,
} from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const LOADS: Load[] = [
  { name: "UDP: 64 B x 20 peers, 5 in flight", connections: 20, bytes: 64, inFlight: 5 },
  { name: "UDP: 1400 B x 20 peers, 5 in flight", connections: 20, bytes: 1_400, inFlight: 5 },
];

const flags = parseArgs(Deno.args, { string: ["rounds", "seconds"] });
const rounds = Number(flags.rounds ?? 9);
const seconds = Number(flags.seconds ?? 1);
const program = await buildLoad("udp_load.c");
const hasNode = await isInstalled("node");

for (const load of LOADS) {
  // Beside the plain loop, with the runtime's flag.
  const plain = [
    denoSubject("plain listenDatagram loop", "../udp_servers/plain_loop.ts"),
    denoSubject("serveUdp", "../udp_servers/tincan.ts", "deno"),
    denoSubject("serveUdp, a promise", "../udp_servers/tincan.ts", "deno", "promise"),
    denoSubject("serveUdp, dedup", "../udp_servers/tincan.ts", "deno", "dedup"),
    denoSubject("for await over bindUdp", "../udp_servers/tincan_receive.ts", "deno"),
  ];
  await compareEcho({ program, subjects: plain, load, rounds, seconds });
  // Beside node:dgram, without it.
  const dgram = [
    denoSubject("plain node:dgram loop on Deno", "../udp_servers/node_dgram.mjs"),
    denoSubject("serveUdp, backend node", "../udp_servers/tincan.ts", "node"),
  ];
  await compareEcho({
    program,
    subjects: dgram,
    load: beside(load, "without the flag"),
    rounds,
    seconds,
  });
  // Beside Node.
  if (hasNode) {
    const node = [
      nodeSubject("dgram on Node", "../udp_servers/node_dgram.mjs"),
      denoSubject("serveUdp", "../udp_servers/tincan.ts", "deno"),
    ];
    await compareEcho({
      program,
      subjects: node,
      load: beside(load, "beside Node"),
      rounds,
      seconds,
    });
  }
}

await Deno.remove(program);

function beside(load: Load, what: string): Load {
  return { ...load, name: `${load.name}, ${what}` };
}
