/** What the datagram tests share: backends, text, events, and other programs as peers. */
import { bindUdp, type UdpBindOptions, type UdpEndpoint, type UdpServer } from "../../udp/mod.ts";

/** The backends that every conformance test runs on. */
export const backends = ["deno", "node"] as const;

/** Nothing here may take longer than this, in milliseconds. */
export const limit = { timeout: 20_000 };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

export function text(data: Uint8Array | undefined): string {
  return decoder.decode(data);
}

/** Where to send to: the address of something that is bound. */
export function at(bound: { readonly addr: Deno.NetAddr }): Deno.NetAddr {
  return bound.addr;
}

/** A free endpoint on loopback. */
export function endpoint(options: UdpBindOptions = {}): Promise<UdpEndpoint<Deno.NetAddr>> {
  return bindUdp(options);
}

/** Options of a server that keeps quiet. */
export const quiet = { port: 0, onListen() {} };

export { Events } from "../_util/events.ts";
export { Peer, python } from "../_util/peers.ts";

/**
 * Waits until everything that was sent to `bound` before has been received there: datagrams on
 * loopback keep their order, so it is enough to wait for one more.
 */
export async function settled(
  bound: UdpEndpoint<Deno.NetAddr> | UdpServer<Deno.NetAddr>,
  from: UdpEndpoint,
  before: number,
): Promise<void> {
  const count = before + 1;
  await from.send("", at(bound));
  while (bound.stats().datagramsReceived < count) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Sends one UDP datagram from any source port, 0 too, which takes a raw socket and so root. */
export const RAW_SENDER = `
import socket, struct, sys
def send(source, target, data):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    header = struct.pack("!HHHH", source, target, 8 + len(data), 0)
    raw.sendto(header + data, ("127.0.0.1", 0))
`;
