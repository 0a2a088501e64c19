// What examples/tcp_echo.ts serves.
import { echoHandler } from "../../apps/echo.ts";
import { serveTcp } from "../../mod.ts";

serveTcp({
  hostname: "0.0.0.0",
  onListen: (addr) => console.log(addr.port),
}, echoHandler());
