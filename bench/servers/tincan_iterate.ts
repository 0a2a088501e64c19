// serveTcp in its shortest form: chunks, each owned by the handler.
import { serveTcp } from "../../mod.ts";

serveTcp({
  hostname: "0.0.0.0",
  onListen: (addr) => console.log(addr.port),
}, async (conn) => {
  for await (const chunk of conn) await conn.write(chunk);
});
