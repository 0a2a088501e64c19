/**
 * Real peers: other programs, driven through their standard input and output.
 */

/** A child process whose lines a test waits for. */
export class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #held = "";
  #stdinOpen = true;

  constructor(
    command: string,
    args: readonly string[],
    options: { stderr?: "null" | "inherit" } = {},
  ) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: options.stderr ?? "inherit",
    }).spawn();
    this.#reader = this.#child.stdout.getReader();
    this.#writer = this.#child.stdin.getWriter();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  /** The next line it prints, without its end; throws if it has ended. */
  async line(): Promise<string> {
    const line = await this.#until((held) => held.indexOf("\n") + 1);
    if (line === null) throw new Error(`the peer ended after ${JSON.stringify(this.#held)}`);
    return line.replace(/\r?\n$/, "");
  }

  /** Waits until it has printed `text`, line or no line; gives everything up to it. */
  async shows(text: string): Promise<string> {
    const seen = await this.#until((held) => {
      const at = held.indexOf(text);
      return at < 0 ? 0 : at + text.length;
    });
    if (seen === null) throw new Error(`the peer never showed ${text}, but ${this.#held}`);
    return seen;
  }

  /** Everything else it prints until it ends. */
  async rest(): Promise<string> {
    await this.#until(() => 0);
    const rest = this.#held;
    this.#held = "";
    return rest;
  }

  /** Types `text`. */
  async type(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Ends its input. */
  async endInput(): Promise<void> {
    this.#stdinOpen = false;
    await this.#writer.close();
  }

  kill(signal: Deno.Signal = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    if (this.#stdinOpen) await this.#writer.abort().catch(() => {});
    await this.#reader.cancel();
    await this.#child.status;
  }

  async #until(find: (held: string) => number): Promise<string | null> {
    while (true) {
      const end = find(this.#held);
      if (end > 0) {
        const found = this.#held.slice(0, end);
        this.#held = this.#held.slice(end);
        return found;
      }
      const { value, done } = await this.#reader.read();
      if (done) return null;
      this.#held += this.#decoder.decode(value, { stream: true });
    }
  }
}

/** Runs a Python program. What it gets as `sys.argv[1:]` is `args`. */
export function python(script: string, ...args: (string | number)[]): Peer {
  return new Peer("python3", ["-u", "-c", script, ...args.map(String)]);
}

/** The module a child program imports the library from. */
const MOD = new URL("../../mod.ts", import.meta.url).href;

/** How a child of {@linkcode deno} runs. */
export interface DenoOptions {
  /** What becomes of its errors; inherited unless specified. */
  stderr?: "null" | "inherit";
  flags?: string[];
  /** The number of descriptors it may have. */
  descriptors?: number;
  /** Shell commands that prepare a network of its own, in which it runs. */
  network?: string;
  args?: (string | number)[];
}

/** Runs a Deno program that begins with everything of the library imported as `net`. */
export function deno(script: string, options: DenoOptions = {}): Peer {
  const source = `import * as net from ${JSON.stringify(MOD)};\n${script}`;
  const url = `data:application/typescript,${encodeURIComponent(source)}`;
  const args = ["run", "--no-config", "--no-lock", "-A", ...options.flags ?? [], url];
  args.push(...(options.args ?? []).map(String));
  const { descriptors, network } = options;
  const command = [Deno.execPath(), ...args];
  if (descriptors !== undefined) command.unshift(...after(`ulimit -n ${descriptors}`));
  if (network !== undefined) command.unshift("unshare", "--net", ...after(network));
  const [program = "", ...rest] = command;
  return new Peer(program, rest, options);
}

/** The words that run a command after a piece of shell script. */
function after(script: string): string[] {
  return ["sh", "-c", `${script}; exec "$0" "$@"`];
}

/** Whether this user may make networks for tests. */
export function mayMakeNetworks(): boolean {
  try {
    const args = ["--net", "ip", "link", "set", "lo", "up"];
    return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
