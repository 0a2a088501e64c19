/** Echo with an endpoint of one's own: bindUdp and a loop over it. */
import { bindUdp } from "../../udp/mod.ts";

const endpoint = await bindUdp({ backend: (Deno.args[0] ?? "auto") as "auto" });
console.log(endpoint.addr.port);
for await (const datagram of endpoint) datagram.reply(datagram.data);
