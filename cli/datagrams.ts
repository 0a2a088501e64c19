/**
 * The standard streams over UDP. As with `nc`, what one read of the input returns is a datagram; with
 * `--framing lines` each line is one, and each one that comes is shown as a line.
 *
 * @module
 */
import { formatAddr } from "../common/address.ts";
import { concat } from "../common/concat.ts";
import type { RelaySide } from "../apps/relay/mod.ts";
import { PeerReport } from "../common/peer_report.ts";
import { delimited } from "../framing/delimited.ts";
import type { Address } from "../terminal/address.ts";
import { printNote } from "../terminal/output.ts";
import { bindUdp, connectUdp, type Datagram } from "../udp/mod.ts";
import { readInput } from "./input.ts";
import { type Printer, StandardOutput } from "./output.ts";
import { Traffic, type Watch } from "./watch.ts";

const LINE_END = Uint8Array.of(0x0a);
/** Bytes for one datagram of the input: what `nc` takes, too. */
const MAX_READ = 16 * 1024;
/** Milliseconds without an answer after the end of the input, unless specified. */
const LAST_WAIT = 1_000;
/** Peers that get the input with --keep-open; the one that was silent longest makes room. */
const MAX_PEERS = 1_024;

/** How to exchange datagrams. */
export interface DatagramOptions {
  /** Milliseconds without a datagram, after which it ends. */
  readonly timeout: number | undefined;
  /** Unless undefined, each line is a datagram. */
  readonly framing: unknown;
  readonly watch: Watch | undefined;
  /** Whether there may be several peers. */
  readonly isOpen?: boolean | undefined;
}

/** Sends the input to one peer, and shows what comes from it, until the silence after the input. */
export async function connectDatagrams(where: Address, options: DatagramOptions): Promise<never> {
  await using socket = await connectUdp(where);
  const exchange = new Exchange("client", socket.localAddr, options);
  exchange.add(socket.remoteAddr);
  const send = (data: Uint8Array) => socket.send(data);
  return await exchange.run(socket, send, options.timeout ?? LAST_WAIT);
}

/** Shows what comes, and sends the input to those that have sent something. */
export async function listenForDatagrams(where: Address, options: DatagramOptions): Promise<never> {
  await using endpoint = await bindUdp(where);
  console.error(`listening on ${formatAddr(endpoint.addr)}`);
  const exchange = new Exchange("target", endpoint.addr, options);
  const send = (data: Uint8Array, to: Deno.NetAddr) => endpoint.send(data, to);
  return await exchange.run(endpoint, send, options.timeout);
}

/** A peer, with the printer and the report of its datagrams. */
interface Peer {
  readonly addr: Deno.NetAddr;
  readonly print: Printer;
  readonly traffic: Traffic;
}

/** Datagrams between the standard streams and some peers. */
class Exchange {
  readonly #own: RelaySide;
  readonly #localAddr: Deno.NetAddr;
  readonly #options: DatagramOptions;
  readonly #output = new StandardOutput();
  readonly #peers = new Map<string, Peer>(); // in the order of their last datagrams
  readonly #arrival = Promise.withResolvers<void>();
  #count = 0;

  constructor(own: RelaySide, localAddr: Deno.NetAddr, options: DatagramOptions) {
    this.#own = own;
    this.#localAddr = localAddr;
    this.#options = options;
  }

  /** Adds a peer, which gets the input from now on. */
  add(addr: Deno.NetAddr): Peer {
    const id = ++this.#count;
    const connection = { id, own: this.#own, localAddr: this.#localAddr, remoteAddr: addr };
    const traffic = new Traffic(this.#options.watch, connection);
    const [oldest] = this.#peers;
    if (oldest !== undefined && this.#peers.size >= MAX_PEERS) {
      oldest[1].traffic.close();
      this.#peers.delete(oldest[0]);
    }
    const peer = { addr, traffic, print: this.#output.printer() };
    this.#peers.set(formatAddr(addr), peer);
    this.#arrival.resolve();
    return peer;
  }

  /**
   * Exchanges datagrams until the silence is long enough, and ends the process.
   *
   * @param source What is received.
   * @param send Sends the input to a peer.
   * @param lastWait Milliseconds without a datagram after the input.
   */
  async run(
    source: AsyncIterable<Datagram<Deno.NetAddr>>,
    send: (data: Uint8Array, to: Deno.NetAddr) => Promise<unknown>,
    lastWait: number | undefined,
  ): Promise<never> {
    const { timeout, framing, watch } = this.#options;
    const silence = new Silence(timeout);
    const receiving = (async () => {
      for await (const { from, data } of source) {
        const peer = this.#peerAt(from);
        if (peer === undefined) continue;
        silence.restart();
        await this.#show(data, peer);
      }
    })();
    const sendToAll = async (data: Uint8Array) => {
      silence.restart();
      for (const { addr, traffic } of [...this.#peers.values()]) {
        await traffic.data(this.#own, data);
        await send(data, addr);
      }
    };
    const sending = this.#arrival.promise
      .then(() => readDatagrams(framing !== undefined, sendToAll))
      .then(() => silence.restart(lastWait));
    await Promise.race([silence.over, Promise.all([sending, receiving])]);
    for (const { traffic } of this.#peers.values()) traffic.close();
    await watch?.flush();
    Deno.exit(0);
  }

  /** The peer at this address; `undefined` if there is another one, and may be only one. */
  #peerAt(addr: Deno.NetAddr): Peer | undefined {
    const key = formatAddr(addr);
    const peer = this.#peers.get(key);
    if (peer === undefined) {
      return this.#peers.size > 0 && !this.#options.isOpen ? undefined : this.add(addr);
    }
    this.#peers.delete(key);
    this.#peers.set(key, peer);
    return peer;
  }

  async #show(data: Uint8Array, { print, traffic }: Peer): Promise<void> {
    const { framing, watch } = this.#options;
    await traffic.data(traffic.peer, data);
    if (watch?.printsData === false) return;
    await print(framing === undefined ? data : concat(data, LINE_END));
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
    await readInput(sendAndTell, MAX_READ);
    return notes.close();
  }
  const lines = delimited("\n", {
    maxLength: 65_507,
    onTooLong: "discard",
    onDiscard: (error) => printNote(`Not sent: ${error.message}`),
  }).decoder();
  const sendFound = async (decode: (emit: (line: Uint8Array) => void) => void) => {
    const found: Uint8Array[] = [];
    decode((line) => void found.push(line));
    for (const line of found) await sendAndTell(line);
  };
  await readInput((piece) => sendFound((emit) => lines.push(piece, emit)));
  await sendFound((emit) => lines.end(emit));
  notes.close();
}

/** The time without a datagram. */
class Silence {
  readonly #over = Promise.withResolvers<void>();
  #limit: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limit: number | undefined) {
    this.restart(limit);
  }

  /** Settles when it has lasted long enough. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Starts again; a new limit is kept. */
  restart(limit: number | undefined = this.#limit): void {
    this.#limit = limit;
    clearTimeout(this.#timer);
    if (limit !== undefined) this.#timer = setTimeout(this.#over.resolve, limit);
  }
}
