/**
 * The standard streams over UDP. As with `nc`, what one read of the input returns is a datagram; with
 * `--framing lines` each line is one, and each one that comes is shown as a line.
 *
 * @module
 */
import type { RelaySide } from "../apps/relay/mod.ts";
import { delimited } from "../framing/delimited.ts";
import { bindUdp, connectUdp, type Datagram } from "../mod.ts";
import { printNote } from "../terminal/output.ts";
import { EventClock } from "../common/event_clock.ts";
import { PeerReport } from "../common/peer_report.ts";
import { readInput } from "./input.ts";
import { type Printer, StandardOutput } from "./output.ts";
import type { Watch } from "./watch.ts";

/** Bytes for one datagram of the input: what `nc` takes, too. */
const MAX_READ = 16 * 1024;
/** Milliseconds without an answer after the end of the input, unless specified. */
const LAST_WAIT = 1_000;
/** Peers that get the input with --keep-open; the one that was silent longest makes room. */
const MAX_PEERS = 1_024;

/** How to exchange datagrams. */
export interface DatagramOptions {
  readonly hostname: string;
  readonly port: number;
  /** Milliseconds without a datagram, after which it ends. */
  readonly timeout: number | undefined;
  /** Whether each line is a datagram. */
  readonly isFramed: boolean;
  readonly watch: Watch | undefined;
}

/** Sends the input to one peer, and shows what comes from it, until the silence after the input. */
export async function connectDatagrams(options: DatagramOptions): Promise<void> {
  const { hostname, port, timeout, isFramed, watch } = options;
  await using peer = await connectUdp({ hostname, port });
  const { localAddr: client, remoteAddr: target } = peer;
  const exchange = new Exchange(
    { id: 1, own: "client", client, target },
    options,
    new StandardOutput(),
  );
  const silence = new Silence(timeout);
  const receiving = (async () => {
    for await (const datagram of peer) {
      silence.restart();
      await exchange.received(datagram);
    }
  })();
  const sending = readDatagrams(isFramed, async (data) => {
    silence.restart();
    await exchange.sending(data);
    await peer.send(data);
  }).then(() => silence.restart(timeout ?? LAST_WAIT));
  await Promise.race([silence.over, Promise.all([sending, receiving])]);
  exchange.end();
  await watch?.flush();
}

/** Shows what comes, and sends the input to those that have sent something. */
export async function listenForDatagrams(
  options: DatagramOptions & { readonly isOpen: boolean },
): Promise<void> {
  const { hostname, port, timeout, isFramed, isOpen } = options;
  await using endpoint = await bindUdp({ hostname, port });
  const own = endpoint.addr;
  const name = own.hostname.includes(":") ? `[${own.hostname}]` : own.hostname;
  console.error(`listening on ${name}:${own.port}`);
  const output = new StandardOutput();
  const peers = new Map<string, Exchange>();
  const silence = new Silence(timeout);
  const arrival = Promise.withResolvers<void>();
  let count = 0;
  const receiving = (async () => {
    for await (const datagram of endpoint) {
      const key = JSON.stringify(datagram.from);
      let peer = peers.get(key);
      if (peer === undefined && peers.size > 0 && !isOpen) continue; // we are taken
      silence.restart();
      if (peer === undefined) {
        const parties = { own: "target", client: datagram.from, target: own } as const;
        peer = new Exchange({ ...parties, id: ++count }, options, output);
        if (peers.size >= MAX_PEERS) forgetOldest(peers);
      } else {
        peers.delete(key); // the map is in the order of the last word
      }
      peers.set(key, peer);
      arrival.resolve();
      await peer.received(datagram);
    }
  })();
  const sending = arrival.promise.then(() =>
    readDatagrams(isFramed, async (data) => {
      silence.restart();
      for (const peer of [...peers.values()]) {
        await peer.sending(data);
        await endpoint.send(data, peer.client);
      }
    })
  );
  await Promise.race([silence.over, Promise.all([sending, receiving])]);
  for (const peer of peers.values()) peer.end();
}

function forgetOldest(peers: Map<string, Exchange>): void {
  for (const [key, peer] of peers) {
    peer.end();
    peers.delete(key);
    return;
  }
}

/** The input as datagrams. */
async function readDatagrams(
  isFramed: boolean,
  send: (data: Uint8Array) => Promise<void>,
): Promise<void> {
  // A datagram that the system does not take is lost, as many are.
  const notes = new PeerReport({ write: printNote });
  const sendAndTell = (data: Uint8Array) => send(data).catch((error) => notes.line(error));
  if (!isFramed) {
    await readInput(sendAndTell, { maxRead: MAX_READ });
    return notes.close();
  }
  const lines = delimited("\n", {
    maxLength: 65_507,
    onTooLong: "discard",
    onDiscard: (error) => printNote(`Not sent: ${error.message}`),
  }).decoder();
  let found: Uint8Array[] = [];
  const flush = async () => {
    const datagrams = found;
    found = [];
    for (const datagram of datagrams) await sendAndTell(datagram);
  };
  await readInput((piece) => {
    lines.push(piece, (line) => void found.push(line));
    return flush();
  });
  lines.end((line) => void found.push(line));
  await flush();
  notes.close();
}

/** Who talks to whom. */
interface Parties {
  readonly id: number;
  readonly own: RelaySide;
  readonly client: Deno.NetAddr;
  readonly target: Deno.NetAddr;
}

/** What is shown and told of the datagrams of one peer. */
class Exchange {
  readonly client: Deno.NetAddr;
  readonly #own: RelaySide;
  readonly #options: DatagramOptions;
  readonly #print: Printer;
  readonly #clock: EventClock;
  readonly #bytes = { client: 0, target: 0 };

  constructor(
    { id, own, client, target }: Parties,
    options: DatagramOptions,
    output: StandardOutput,
  ) {
    this.client = client;
    this.#own = own;
    this.#options = options;
    this.#print = output.printer();
    this.#clock = new EventClock(id);
    options.watch?.observe({ ...this.#clock.now(), type: "open", client, target });
  }

  async received({ data }: Datagram): Promise<void> {
    const { isFramed, watch } = this.#options;
    await this.#tell(this.#own === "client" ? "target" : "client", data);
    if (watch?.printsData === false) return;
    if (!isFramed) return await this.#print(data);
    const line = new Uint8Array(data.length + 1);
    line.set(data);
    line[data.length] = 0x0a;
    await this.#print(line);
  }

  async sending(data: Uint8Array): Promise<void> {
    await this.#tell(this.#own, data);
  }

  end(): void {
    const { client: fromClient, target: fromTarget } = this.#bytes;
    const event = { ...this.#clock.now(), first: this.#own, fromClient, fromTarget };
    this.#options.watch?.observe({ ...event, type: "close" });
  }

  async #tell(from: RelaySide, data: Uint8Array): Promise<void> {
    const offset = this.#bytes[from];
    this.#bytes[from] += data.length;
    await this.#options.watch?.observe({ ...this.#clock.now(), type: "data", from, offset, data });
  }
}

/** The time without a datagram. */
class Silence {
  /** Settles when it has lasted long enough. */
  readonly over: Promise<void>;

  readonly #end: () => void;
  #limit: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limit: number | undefined) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#end = resolve;
    this.restart(limit);
  }

  /** Begins anew; a new limit stays. */
  restart(limit?: number): void {
    this.#limit = limit ?? this.#limit;
    clearTimeout(this.#timer);
    if (this.#limit !== undefined) this.#timer = setTimeout(this.#end, this.#limit);
  }
}
