// Lines over serveTcp, a read's worth of messages at a time.
import { lines, serveTcp } from "../../mod.ts";

serveTcp({
  hostname: "0.0.0.0",
  onListen: (addr) => console.log(addr.port),
}, async (conn) => {
  const messages = conn.framed(lines());
  for await (const batch of messages.batches()) await messages.sendAll(batch);
});
