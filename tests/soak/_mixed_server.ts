/** Echoes lines, with limits as a server on the open network has them, but shorter. Prints its port. */
import { lines, serveTcp, text } from "../../mod.ts";
import { limits, MAX_LINE, timeouts } from "./_mixed_limits.ts";

const server = serveTcp({
  port: 0,
  onListen() {},
  onError() {}, // what these clients do is expected
  limits,
  timeouts,
}, async (conn) => {
  const messages = conn.framed(
    text(lines({ maxLength: MAX_LINE }), { onCorrupt: "discard" }),
  );
  for await (const message of messages) await messages.send(message);
});

Deno.addSignalListener("SIGTERM", async function stop() {
  Deno.removeSignalListener("SIGTERM", stop);
  await server.shutdown({ timeout: 1_000 });
  console.log(JSON.stringify(server.stats()));
});

console.log(server.addr.port);
