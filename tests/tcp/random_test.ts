/**
 * Connections under random interleavings of every call, with time-outs and aborts, checked against
 * streams of which every byte is known.
 */
import { randomTest } from "../_util/soak.ts";
import { transports } from "../_util/transports.ts";
import { readRandomly, writeRandomly } from "./_random_rounds.ts";

for (const transport of transports) {
  randomTest(
    `random: every way to read, over ${transport.name}`,
    ({ chance }) => readRandomly(transport, chance),
    { seconds: 2 },
  );
  randomTest(
    `random: every way to write, over ${transport.name}`,
    ({ chance }) => writeRandomly(transport, chance),
    { seconds: 2 },
  );
}
