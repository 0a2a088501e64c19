// Lines over serveTcp with readLine, written back one by one.
import { serveTcp } from "../../mod.ts";

serveTcp({
  hostname: "0.0.0.0",
  onListen: (addr) => console.log(addr.port),
  onError() {},
}, async (conn) => {
  for (let line = await conn.readLine(); line !== null; line = await conn.readLine()) {
    await conn.write(`${line}\n`);
  }
});
