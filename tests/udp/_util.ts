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
export function at(bound: { readonly addr: UdpEndpoint["addr"] }): Deno.NetAddr {
  return bound.addr as Deno.NetAddr;
}

/** A free endpoint on loopback. */
export function endpoint(options: UdpBindOptions = {}): Promise<UdpEndpoint> {
  return bindUdp(options);
}

/** Options of a server that keeps quiet. */
export const quiet = { port: 0, onListen() {} };

export { Events } from "../_util/events.ts";

/**
 * Waits until everything that was sent to `bound` before has been received there: datagrams on
 * loopback keep their order, so it is enough to wait for one more.
 */
export async function settled(
  bound: UdpEndpoint | UdpServer,
  from: UdpEndpoint,
  before: number,
): Promise<void> {
  const count = before + 1;
  await from.send("", at(bound));
  while (bound.stats().received < count) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** A child process, its lines one by one. */
export class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #held = "";
  #open = true;

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reader = this.#child.stdout.getReader();
    this.#writer = this.#child.stdin.getWriter();
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** The next line it prints. */
  async line(): Promise<string> {
    while (true) {
      const end = this.#held.indexOf("\n");
      if (end >= 0) {
        const line = this.#held.slice(0, end);
        this.#held = this.#held.slice(end + 1);
        return line;
      }
      if (!await this.#more()) throw new Error(`the peer ended after ${this.#held}`);
    }
  }

  /** Waits until it has printed `wanted`. */
  async shows(wanted: string): Promise<void> {
    while (!this.#held.includes(wanted)) {
      if (!await this.#more()) throw new Error(`the peer never showed ${wanted}: ${this.#held}`);
    }
    this.#held = "";
  }

  async type(line: string): Promise<void> {
    await this.#writer.write(bytes(line));
  }

  async end(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#writer.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end().catch(() => {});
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#reader.cancel();
    await this.#child.status;
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#reader.read();
    if (!done) this.#held += text(value);
    return !done;
  }
}

/** A Python program as a peer. */
export function python(program: string, ...args: string[]): Peer {
  return new Peer("python3", ["-u", "-c", program, ...args]);
}
