/** A bad network on loopback: loses, doubles, delays, reorders and forges, by chance that can be repeated. */
import { between } from "../_util/random.ts";

/** How bad it is; each a part of all datagrams. */
export interface Badness {
  loss: number;
  double: number;
  /** Datagrams that are held back, so that others overtake them. */
  delay: number;
  /** The longest delay, in milliseconds. */
  maxDelay: number;
}

/** Carries datagrams between clients and one server: each client has its own port on the server's side. */
export class Relay implements AsyncDisposable {
  readonly addr: Deno.NetAddr;
  readonly #outside = listen();
  readonly #inside = new Map<string, Deno.DatagramConn>();
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #chance: () => number;
  readonly #badness: Badness;
  readonly #to: Deno.NetAddr;
  #isClosed = false;
  lost = 0;
  doubled = 0;

  constructor(to: Deno.NetAddr, chance: () => number, badness: Badness) {
    this.#to = to;
    this.#chance = chance;
    this.#badness = badness;
    this.addr = ofUdp(this.#outside.addr);
    this.#start(this.#outside, (data, from) => {
      const inside = this.#insideOf(from);
      this.#pass(() => inside.send(data, this.#to));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#outside.close();
    for (const socket of this.#inside.values()) socket.close();
    await Promise.all(this.#running);
  }

  #insideOf(client: Deno.NetAddr): Deno.DatagramConn {
    const key = `${client.port}`;
    let inside = this.#inside.get(key);
    if (inside === undefined) {
      inside = listen();
      this.#inside.set(key, inside);
      this.#start(inside, (data) => this.#pass(() => this.#outside.send(data, client)));
    }
    return inside;
  }

  #start(socket: Deno.DatagramConn, take: (data: Uint8Array, from: Deno.NetAddr) => void): void {
    const running = (async () => {
      try {
        while (!this.#isClosed) {
          const [data, from] = await socket.receive();
          take(data.slice(), ofUdp(from));
        }
      } catch {
        // It is closed.
      }
    })();
    this.#running.add(running);
  }

  #pass(send: () => Promise<unknown>): void {
    const { loss, double, delay, maxDelay } = this.#badness;
    if (this.#chance() < loss) {
      this.lost++;
      return;
    }
    const copies = this.#chance() < double ? 2 : 1;
    this.doubled += copies - 1;
    for (let i = 0; i < copies; i++) {
      const wait = this.#chance() < delay ? between(this.#chance, 0, maxDelay) : -1;
      if (wait < 0) this.#send(send);
      else {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#send(send);
        }, wait);
        this.#timers.add(timer);
      }
    }
  }

  #send(send: () => Promise<unknown>): void {
    if (this.#isClosed) return;
    const sending = send().then(() => {}, () => {});
    this.#running.add(sending);
    sending.then(() => this.#running.delete(sending));
  }
}

function listen(): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
}

function ofUdp(addr: Deno.Addr): Deno.NetAddr {
  if (addr.transport === "udp") return addr;
  throw new TypeError(`Cannot use an address of ${addr.transport}`);
}
