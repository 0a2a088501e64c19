/** Ports for servers whose port has to be known before they listen. @module */

/** Below the ports that systems give to clients and to servers on port 0 (ip(7): from 32,768 on). */
const FIRST = 10_000;
const COUNT = 22_000;

/** A port of loopback on which no one listens, and which the system gives to no one else. */
export function freePort(): number {
  while (true) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
