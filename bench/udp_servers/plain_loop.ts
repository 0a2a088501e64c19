/** The control: a plain loop over `Deno.listenDatagram` with one reused buffer. */
const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
if (socket.addr.transport === "udp") console.log(socket.addr.port);
const buffer = new Uint8Array(65_536);
while (true) {
  const [data, from] = await socket.receive(buffer);
  await socket.send(data, from);
}
