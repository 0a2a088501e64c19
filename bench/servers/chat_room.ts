// The chat room without its limits of rates and on people from one address.
import { ChatRoom, serveChat } from "../../apps/chat/mod.ts";

serveChat({
  onListen: (addr) => console.log(addr.port),
  room: new ChatRoom({
    limits: { maxLinesPerSecond: Infinity, maxMembersPerAddress: Infinity, maxHistory: 0 },
  }),
});
