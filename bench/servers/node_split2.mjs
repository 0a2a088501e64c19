// Lines over Node's net with split2, writes corked while one chunk is worked through.
import { createServer } from "node:net";
import split2 from "split2";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  const lines = socket.pipe(split2());
  let corked = false;
  lines.on("data", (line) => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    }
    socket.write(line + "\n");
  });
});
server.listen({ host: "0.0.0.0", port: 0, backlog: 511 }, () => console.log(server.address().port));
