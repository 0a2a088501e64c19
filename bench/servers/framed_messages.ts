// Lines over serveTcp, message by message.
import { lines, serveTcp } from "../../mod.ts";

serveTcp({
  hostname: "0.0.0.0",
  onListen: (addr) => console.log(addr.port),
}, async (conn) => {
  const messages = conn.framed(lines());
  for await (const message of messages) await messages.send(message);
});
