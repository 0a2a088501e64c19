/** Echo with serveUdp; the first argument is the backend, the second how the handler answers. */
import { type Datagram, serveUdp, type UdpHandler } from "../../udp/mod.ts";

const [backend = "auto", how = "return"] = Deno.args;
const handlers: Record<string, UdpHandler> = {
  return: ({ data }) => data,
  promise: ({ data }) => Promise.resolve(data),
  reply: (datagram: Datagram) => datagram.reply(datagram.data),
  dedup: ({ data }) => data,
};
await serveUdp({
  backend: backend as "auto",
  dedup: how === "dedup",
  onListen: (addr) => console.log(addr.port),
}, handlers[how] ?? (({ data }) => data));
