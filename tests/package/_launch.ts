/**
 * Starts a program, whatever it takes: `deno run` with flags and a module, or an executable.
 */
import { TextLineStream } from "@std/streams";
import { run as runCommand } from "../examples/_run.ts";

/** The command and its first arguments; the program's own arguments follow. */
export type Launch = readonly [command: string, ...first: string[]];

/** A server program that is listening. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** Its exit code, when it has ended by itself. */
  readonly ended: Promise<number>;
  /** Asks it to end, and gives its exit code. */
  stop(): Promise<number>;
}

/**
 * Runs a program to its end and gives what it wrote to its output.
 *
 * @throws {Error} With what it said, if it failed.
 */
export async function run(launch: Launch, args: readonly string[], input = ""): Promise<string> {
  const [command, ...first] = launch;
  const { code, stdout, stderr } = await runCommand(command, [...first, ...args], input);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return stdout;
}

/**
 * Starts a server and waits until it says where it listens.
 *
 * @throws {Error} With what it said, if it ended instead.
 */
export async function listen(launch: Launch, args: readonly string[]): Promise<Listening> {
  const [command, ...first] = launch;
  const child = new Deno.Command(command, {
    args: [...first, ...args],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  await child.stdin.close();
  const lines = child.stderr
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  const said: string[] = [];
  let port = NaN;
  while (Number.isNaN(port)) {
    const { value, done } = await lines.read();
    if (done) {
      const { code } = await child.status;
      throw new Error(`exit code ${code}: ${said.join("\n")}`);
    }
    said.push(value);
    port = Number(/^listening on .*:(\d+)$/.exec(value)?.[1]);
  }
  const ended = (async () => {
    while (!(await lines.read()).done);
    return (await child.status).code;
  })();
  const end = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended by itself.
    }
    return ended;
  };
  return {
    port,
    ended,
    stop: () => end("SIGINT"),
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}
