// Lines over Node's net with its readline.
import { createServer } from "node:net";
import { createInterface } from "node:readline";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  const lines = createInterface({ input: socket, crlfDelay: Infinity });
  lines.on("error", () => {});
  lines.on("line", (line) => socket.write(line + "\n"));
});
server.listen({ host: "0.0.0.0", port: 0, backlog: 511 }, () => console.log(server.address().port));
