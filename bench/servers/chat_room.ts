// The chat room without its rate limit.
import { ChatRoom, serveChat } from "../../apps/chat/mod.ts";

serveChat({
  onListen: (addr) => console.log((addr as Deno.NetAddr).port),
  room: new ChatRoom({ maxLinesPerSecond: Infinity, history: 0 }),
});
