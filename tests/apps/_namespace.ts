/**
 * Networks of a test's own: nobody else listens there, and packets can be made to vanish.
 *
 * @module
 */
import { exampleArgs, type Finished, run } from "../examples/_run.ts";

/** What every script in a namespace begins with. */
const PRELUDE = `
import json, os, signal, socket, subprocess, sys, threading, time

def sh(command):
    subprocess.run(command, shell=True, check=True)

def listen(port, host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, port))
    s.listen(512)
    return s

def scan(*args, **more):
    done = subprocess.run(SCAN + list(args), capture_output=True, text=True, **more)
    return {"code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

def ports(result, state="open"):
    lines = [json.loads(line) for line in result["stdout"].splitlines()]
    return sorted(line["port"] for line in lines if line["state"] == state)

SCAN = sys.argv[1:]
sh("ip link set lo up")
# 10.9.0.1 is here; 10.9.0.2 has a hardware address and never answers.
sh("ip link add here type veth peer name there && ip link set here up && ip link set there up")
sh("ip addr add 10.9.0.1/24 dev here && ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev here")
`;

/**
 * Runs a Python script in a network of its own. It can `listen`, and `scan` with the example program;
 * what it prints, JSON, is the result.
 */
export async function inNamespace<T>(script: string): Promise<T> {
  const { code, stdout, stderr }: Finished = await run("unshare", [
    "--net",
    ...["python3", "-c", PRELUDE + script, Deno.execPath(), ...exampleArgs("port_scan.ts", [])],
  ]);
  if (code !== 0) throw new Error(`the script failed: ${stderr}`);
  return JSON.parse(stdout);
}
