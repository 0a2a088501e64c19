/** Who interrupts a server as soon as it says that it listens gets a clean end, too. */
import { assertEquals } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { exampleArgs, run } from "./_run.ts";

const pythonTest = testWith("python3");

/** Starts a server as often as it is told, and interrupts it the moment it says where it listens. */
const INTERRUPTER = `
import signal, subprocess, sys
for _ in range(int(sys.argv[1])):
    server = subprocess.Popen(sys.argv[2:], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    server.stderr.readline()
    server.send_signal(signal.SIGINT)
    print(server.wait(), flush=True)
`;

const SERVERS: Readonly<Record<string, readonly string[]>> = {
  "file_transfer.ts": ["serve", import.meta.dirname ?? ".", "--port", "0"],
  "relay.ts": ["--listen", "0", "--to", "127.0.0.1:9"],
  "tcp_chat.ts": ["--port", "0"],
  "tcp_echo.ts": ["--port", "0"],
  "udp_echo.ts": ["--port", "0"],
};

for (const [name, args] of Object.entries(SERVERS)) {
  pythonTest(`${name}: Ctrl-C as soon as it listens`, { timeout: 60_000 }, async () => {
    const command = [Deno.execPath(), ...exampleArgs(name, [...args])];
    const { stdout, stderr } = await run("python3", ["-c", INTERRUPTER, "4", ...command]);
    assertEquals(stdout, "0\n0\n0\n0\n", stderr);
  });
}
