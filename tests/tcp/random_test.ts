/**
 * Connections under random interleavings of every call, with time-outs and aborts, checked against
 * streams of which every byte is known.
 */
import { randomTest } from "../_util/soak.ts";
import { transports } from "../_util/transports.ts";
import { askRandomly, readRandomly, readUntilBroken, writeRandomly } from "./_random_rounds.ts";

const testers = {
  "every way to read": readRandomly,
  "every way to read, until the connection is broken off": readUntilBroken,
  "every way to write": writeRandomly,
  "requests and their answers": askRandomly,
};

for (const transport of transports) {
  for (const [name, round] of Object.entries(testers)) {
    randomTest(
      `random: ${name}, over ${transport.name}`,
      ({ chance }) => round(transport, chance),
      {
        seconds: 1,
        share: 1 / 4,
      },
    );
  }
}
