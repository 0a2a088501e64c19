// Node's net, run by Node.
import { createServer } from "node:net";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", (data) => socket.write(data));
  socket.on("error", () => {});
});
server.listen({ host: "0.0.0.0", port: 0, backlog: 511 }, () => console.log(server.address().port));
