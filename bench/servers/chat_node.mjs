// The shortest chat in Node: what one sends goes to all others as it is.
import { createServer } from "node:net";

const all = new Set();
const server = createServer({ noDelay: true }, (socket) => {
  all.add(socket);
  socket.on("data", (data) => {
    for (const other of all) if (other !== socket) other.write(data);
  });
  socket.on("error", () => {});
  socket.on("close", () => all.delete(socket));
});
server.listen({ host: "127.0.0.1", port: 0 }, () => console.log(server.address().port));
