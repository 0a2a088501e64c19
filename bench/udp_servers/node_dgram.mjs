// The control for the node backend: a plain node:dgram loop, under Node or Deno.
import dgram from "node:dgram";

const socket = dgram.createSocket("udp4");
socket.on("message", (data, { port, address }) => socket.send(data, port, address));
socket.bind(0, "127.0.0.1", () => console.log(socket.address().port));
