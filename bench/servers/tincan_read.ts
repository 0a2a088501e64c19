// serveTcp with the handler's own buffer, as the control does it.
import { serveTcp } from "../../mod.ts";

const size = Number(Deno.args[0] ?? 65_536);
serveTcp({
  hostname: "0.0.0.0",
  onListen: (addr) => console.log(addr.port),
}, async (conn) => {
  const buffer = new Uint8Array(size);
  for (let n; (n = await conn.read(buffer)) !== null;) await conn.write(buffer.subarray(0, n));
});
