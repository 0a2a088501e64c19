/**
 * Real peers: other programs, driven through their standard input and output.
 *
 * A test names the peers that it talks to, and is left out where one is missing; `deno task test` prints
 * at the end what was left out. On CI a missing peer is a failure.
 *
 * ```ts ignore
 * const ncTest = testWith("nc");
 * ncTest("nc reads to the end", async () => {});
 * ```
 */

/** What is no program: how to see that it is here. */
const PROBES = {
  /** OpenBSD's nc: others have no `-N`. */
  nc: () => /\[-\w*N/.test(outputOf("nc", "-h")),
  Linux: () => Deno.build.os === "linux",
  root: () => Deno.build.os !== "windows" && Deno.uid() === 0,
  /** A network and mounts of a test's own. */
  network: () => outputOf("unshare", "--net", "--mount", "sh", "-c", NETWORK) === "made\n",
};

const NETWORK = "ip link set lo up && mount --bind /etc/hosts /etc/hosts && echo made";

/** Programs that are called by the names which they are installed under. */
const PROGRAMS = [
  ...["bash", "curl", "fish", "git", "haproxy", "ncat", "nginx", "nmap", "openssl", "python3"],
  ...["sha256sum", "socat", "ss", "systemd-analyze", "tc", "telnet", "zsh"],
] as const;

/** A program, or one of the {@linkcode PROBES}. */
export type PeerName = keyof typeof PROBES | typeof PROGRAMS[number];

/** The peers that a shell script calls. */
export function peersIn(script: string): PeerName[] {
  return ["nc" as const, ...PROGRAMS].filter((name) => new RegExp(`\\b${name}\\b`).test(script));
}

const found = new Map<PeerName, boolean>();

/** Whether a peer is here. */
export function hasPeer(name: PeerName): boolean {
  const known = found.get(name);
  if (known !== undefined) return known;
  const isHere = name in PROBES ? PROBES[name as keyof typeof PROBES]() : isInstalled(name);
  found.set(name, isHere);
  return isHere;
}

/** Whether this run is one that must leave nothing out. */
const isCi = !["", "0", "false"].includes(Deno.env.get("CI") ?? "");

/** What registers a test: `Deno.test`, or what leaves it out. */
export interface Register {
  (name: string, fn: TestBody): void;
  (name: string, options: Omit<Deno.TestDefinition, "name" | "fn">, fn: TestBody): void;
  (test: Deno.TestDefinition): void;
}

type TestBody = Deno.TestDefinition["fn"];

/**
 * `Deno.test` for tests that talk to peers: where one is missing, they are left out.
 *
 * @throws {Error} On CI, if one is missing.
 */
export function testWith(...names: PeerName[]): Register {
  const missing = [...new Set(names)].filter((name) => !hasPeer(name));
  const isOtherSystem = missing.includes("Linux"); // there, nothing of Linux is missing
  if (isCi && missing.length > 0 && !isOtherSystem) {
    throw new Error(`${missing.join(" and ")} missing: on CI no test is left out`);
  }
  if (missing.length === 0) return Deno.test;
  return testUnless(`no ${isOtherSystem ? "Linux" : missing.join(", ")}`);
}

/** `Deno.test` for tests that are left out for a reason, if there is one. */
export function testUnless(reason: string | null): Register {
  if (reason === null) return Deno.test;
  const list = Deno.env.get("TINCAN_LEFT_OUT");
  return (...test: unknown[]) => {
    if (list !== undefined) Deno.writeTextFileSync(list, `${reason}\n`, { append: true });
    (Deno.test.ignore as (...test: unknown[]) => void)(...test);
  };
}

function isInstalled(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

/** What a program prints; nothing if it cannot be run. */
function outputOf(command: string, ...args: string[]): string {
  try {
    const { stdout, stderr } = new Deno.Command(command, { args }).outputSync();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  } catch {
    return "";
  }
}

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
