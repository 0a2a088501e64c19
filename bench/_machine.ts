/** What a run ran on: nothing that tells whose machine it is. */

/** The peers, and how each says which version it is. */
const PEERS: [name: string, command: string[]][] = [
  ["Node", ["node", "--version"]],
  ["Python", ["python3", "--version"]],
  ["Go", ["go", "version"]],
  ["C compiler", ["cc", "--version"]],
  ["nc", ["nc", "-h"]],
  ["ncat", ["ncat", "--version"]],
  ["socat", ["socat", "-V"]],
  ["nmap", ["nmap", "--version"]],
  ["curl", ["curl", "--version"]],
  ["openssl", ["openssl", "version"]],
  ["sha256sum", ["sha256sum", "--version"]],
];

/** The properties of this machine and of what is installed, each with its value. */
export async function describeMachine(): Promise<Record<string, string>> {
  const { total } = Deno.systemMemoryInfo();
  const release = /^\d+(?:\.\d+)*/.exec(Deno.osRelease())?.[0] ?? "";
  const machine: Record<string, string> = {
    "processor": `${navigator.hardwareConcurrency} cores, ${await processorName()}`,
    "memory": `${Math.round(total / 1024 ** 3)} GiB`,
    "system": `${Deno.build.os} ${release}, ${Deno.build.arch}`,
    "Deno": `${Deno.version.deno} (V8 ${Deno.version.v8})`,
  };
  for (const [name, command] of PEERS) machine[name] = await versionOf(command);
  return machine;
}

async function processorName(): Promise<string> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    return /^model name\s*: (.*)$/m.exec(text)?.[1]?.trim() ?? "unknown model";
  } catch {
    return "unknown model";
  }
}

/** The version numbers that a program names first. */
async function versionOf([program = "", ...args]: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await new Deno.Command(program, { args }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return /\d+\.\d[\w.-]*/.exec(text)?.[0]?.replace(/\.$/, "") ?? "unknown version";
  } catch {
    return "not installed";
  }
}
