/** Runs `tincan` and other programs as a user would: from a shell, as processes of their own. */
import { tlsFiles } from "../_util/transports.ts";

const root = new URL("../../", import.meta.url).pathname;

/** The command that is called `tincan` here. */
export const TINCAN: readonly string[] = [
  Deno.execPath(),
  "run",
  "--allow-all",
  `${root}cli/tincan.ts`,
];

/** How a process ended and what it said. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * A shell script that runs beside the test. `$TINCAN` is the program under test, `$CERT`, `$KEY`
 * and `$CA` are the certificate of the tests.
 */
export class Shell implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  #stdout = "";
  #stderr = "";
  #changed = Promise.withResolvers<void>();
  #isOver = false;
  #stdinOpen = true;

  constructor(script: string, ...args: (string | number)[]) {
    this.#child = new Deno.Command("sh", {
      args: ["-c", script, "sh", ...args.map(String)],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: {
        NO_COLOR: "1",
        TINCAN: TINCAN.join(" "),
        CERT: tlsFiles.certPath,
        KEY: tlsFiles.keyPath,
        CA: tlsFiles.caPath,
      },
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    const collect = async (stream: ReadableStream<Uint8Array>, add: (text: string) => void) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        add(text);
        this.#change();
      }
    };
    this.#reading = Promise.all([
      collect(this.#child.stdout, (text) => this.#stdout += text),
      collect(this.#child.stderr, (text) => this.#stderr += text),
    ]).then(() => {
      this.#isOver = true;
      this.#change();
    });
  }

  /** What it has written to stdout so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** What it has written to stderr so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until its output, or what it says on stderr, matches. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    while (true) {
      const found = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (found !== null) return found;
      if (this.#isOver) {
        throw new Error(`it never showed ${pattern}, but\n${this.#stdout}\n${this.#stderr}`);
      }
      await this.#changed.promise;
    }
  }

  /** The port it says it listens on, whichever program it is. */
  async port(): Promise<number> {
    const [, port] = await this.shows(/(?:listening on|Listening on|ACCEPT).*:(\d+)\n/);
    return Number(port);
  }

  /** Types. */
  async type(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** Ends its input. */
  async endInput(): Promise<void> {
    this.#stdinOpen = false;
    await this.#writer.close().catch(() => {}); // it may have ended without reading it
  }

  /** Sends a signal; scripts that are to get it `exec` their program. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end, without ending its input. */
  async end(): Promise<Finished> {
    await this.#reading;
    const { code } = await this.#child.status;
    return { code, stdout: this.#stdout, stderr: this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    if (this.#stdinOpen) await this.#writer.abort().catch(() => {});
    await this.#reading;
    await this.#child.status;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Runs a script to its end, with an input that ends at once. */
export async function shell(script: string, ...args: (string | number)[]): Promise<Finished> {
  await using running = new Shell(script, ...args);
  await running.endInput();
  return await running.end();
}

/** Runs `tincan` to its end, with `input` as its standard input. */
export async function tincan(args: readonly string[], input = ""): Promise<Finished> {
  await using running = new Shell('exec $TINCAN "$@"', ...args);
  await running.type(input).catch(() => {});
  await running.endInput();
  return await running.end();
}

/** A folder that is removed in the end. */
export async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tincan_cli_" });
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
