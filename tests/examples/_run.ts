/**
 * Runs the programs of `examples/` as a user would: as processes of their own.
 *
 * @module
 */
import { TextLineStream } from "@std/streams";

const root = new URL("../../", import.meta.url).pathname;

/** How a process ended and what it said. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** A server program that is listening. */
export interface RunningProgram {
  port: number;
  pid: number;
  /** Sends a signal and waits for the end. */
  stop(signal: "SIGINT" | "SIGTERM"): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The arguments that run one of the examples. */
export function exampleArgs(
  name: string,
  args: string[],
  permissions: string[] = ["--allow-all"],
): string[] {
  return ["run", ...permissions, `${root}examples/${name}`, ...args];
}

/** Runs an example to its end. */
export function runExample(name: string, args: string[], input = ""): Promise<Finished> {
  return run(Deno.execPath(), exampleArgs(name, args), input);
}

/** Runs any command to its end, with `input` as its standard input. */
export async function run(command: string, args: string[], input = ""): Promise<Finished> {
  const child = new Deno.Command(command, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const feed = async () => {
    const writer = child.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode(input));
      await writer.close();
    } catch {
      // It ended without reading its input.
    }
  };
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feed()]);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Starts a server example on a free port and waits until it says where it listens. */
export async function startExample(
  name: string,
  args: string[],
  permissions?: string[],
): Promise<RunningProgram> {
  const child = new Deno.Command(Deno.execPath(), {
    args: exampleArgs(name, ["--port", "0", ...args], permissions),
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const lines = child.stderr
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  let port = NaN;
  while (Number.isNaN(port)) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`${name} ended before it listened`);
    port = Number(/^listening on .*:(\d+)$/.exec(value)?.[1]);
  }
  let ended: Promise<number> | undefined;
  const stop = (signal: Deno.Signal) =>
    ended ??= (async () => {
      child.kill(signal);
      const { code } = await child.status;
      await lines.cancel();
      return code;
    })();
  return {
    port,
    pid: child.pid,
    stop,
    async [Symbol.asyncDispose]() {
      await stop("SIGKILL");
    },
  };
}
