import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type PortResult, scanPorts, type ScanProgress } from "../../apps/scan/mod.ts";
import { defaultPorts, parsePorts } from "../../apps/scan/ports.ts";
import { serviceName } from "../../apps/scan/services.ts";
import { testWith } from "../_util/peers.ts";
import { run } from "../examples/_run.ts";
import { inNamespace } from "./_namespace.ts";

const isolatedTest = testWith("network", "python3");

Deno.test("parsePorts reads lists, ranges, open ranges and services", () => {
  assertEquals(parsePorts("22,80,8000-8003"), [22, 80, 8000, 8001, 8002, 8003]);
  assertEquals(parsePorts("5,1-3,2"), [1, 2, 3, 5]);
  assertEquals(parsePorts("-3"), [1, 2, 3]);
  assertEquals(parsePorts("65534-"), [65534, 65535]);
  assertEquals(parsePorts("-").length, 65_535);
  assertEquals(parsePorts(" ssh , HTTPS"), [22, 443]);
  for (const port of defaultPorts()) assertEquals(port <= 1024 || !!serviceName(port), true);
});

Deno.test("parsePorts refuses what is not a list of ports, and says which part", () => {
  for (const text of ["", "22,", "http!", "1-2-3", "1.5", "constructor", "__proto__"]) {
    assertThrows(() => parsePorts(text), TypeError, "Cannot use the ports");
  }
  for (const text of ["0", "65536", "1-70000", "0-5", "9-3"]) {
    assertThrows(() => parsePorts(text), RangeError, `"${text}"`);
  }
});

/** Two open ports and one that surely is not. */
async function someListeners(): Promise<{ open: number[]; closed: number } & Disposable> {
  const listeners = [Deno.listen({ port: 0 }), Deno.listen({ port: 0 })];
  const gone = Deno.listen({ port: 0 });
  const closed = gone.addr.port;
  gone.close();
  await Promise.resolve();
  return {
    open: listeners.map(({ addr }) => addr.port).sort((a, b) => a - b),
    closed,
    [Symbol.dispose]() {
      for (const listener of listeners) listener.close();
    },
  };
}

Deno.test("scanPorts tells open from closed, and reports what it finds on the way", async () => {
  using here = await someListeners();
  const seen: PortResult[] = [];
  const progress: ScanProgress[] = [];
  const report = await scanPorts("127.0.0.1", {
    ports: [...here.open, here.closed],
    onOpen: (port) => seen.push(port),
    onProgress: (now) => progress.push(now),
  });
  const [host] = report.hosts;
  assertEquals(report.probes, 3);
  assertEquals(host?.open.map(({ port }) => port), here.open);
  assertEquals(host?.counts, { open: 2, closed: 1, filtered: 0 });
  assertEquals([...host?.ports("closed") ?? []].map(({ port, reason }) => [port, reason]), [
    [here.closed, "refused"],
  ]);
  assertEquals([...host?.ports() ?? []].length, 3);
  assertEquals(seen.map(({ port }) => port).sort((a, b) => a - b), here.open);
  assertEquals(progress.at(-1), { done: 3, total: 3, open: 2 });
});

Deno.test("scanPorts finds the same with a worker and alone", async () => {
  using here = await someListeners();
  const ports = [...here.open, ...parsePorts("50000-55000")];
  for (const worker of [true, false]) {
    const { hosts: [host] } = await scanPorts("127.0.0.1", { ports, worker });
    const open = host?.open.map(({ port }) => port) ?? [];
    for (const port of here.open) assertEquals(open.includes(port), true, `${port}`);
    assertEquals(host?.counts.filtered, 0);
  }
});

Deno.test("scanPorts resolves names and scans several hosts, each address once", async () => {
  using here = await someListeners();
  const report = await scanPorts(["localhost", "127.0.0.1", "127.0.0.2", "[::1]"], {
    ports: here.open,
  });
  assertEquals(report.hosts.map(({ host, address }) => [host, address]), [
    ["localhost", "127.0.0.1"],
    ["127.0.0.2", "127.0.0.2"],
    ["[::1]", "::1"],
  ]);
  assertEquals(report.hosts.map(({ counts }) => counts.open + counts.closed), [2, 2, 2]);
  assertEquals(report.hosts[0]?.counts.open, 2);
  const error = await assertRejects(() => scanPorts("no-such-host.invalid"), Deno.errors.NotFound);
  assertStringIncludes(error.message, "Cannot resolve no-such-host.invalid: ");
});

Deno.test("scanPorts takes all addresses of a range at home", async () => {
  const { hosts } = await scanPorts(["127.0.0.8/30", "::1/128"], { ports: [1] });
  assertEquals(hosts.map(({ address }) => address), [
    "127.0.0.8",
    "127.0.0.9",
    "127.0.0.10",
    "127.0.0.11",
    "::1",
  ]);
});

const PUBLIC = [
  "8.8.8.0/24",
  "172.32.0.0/30",
  "10.0.0.0/7",
  "0.0.0.0/0",
  "100.64.0.0/30",
  "2001:db8::/126",
  "::ffff:808:808/127",
  "::/127",
  "9.255.255.255/32",
];
for (const range of PUBLIC) {
  Deno.test(`scanPorts does not scan ${range} without consent`, async () => {
    const error = await assertRejects(() => scanPorts(range, { ports: [1] }), TypeError);
    assertStringIncludes(error.message, "without consent");
  });
}

Deno.test("scanPorts scans a public range with consent", async () => {
  const options = { ports: [1], allowPublicRanges: true, timeout: 20, retries: 0 };
  const { hosts } = await scanPorts("192.0.2.0/31", options);
  assertEquals(hosts.map(({ address }) => address), ["192.0.2.0", "192.0.2.1"]);
  assertEquals(hosts.map(({ counts }) => counts.open), [0, 0]);
});

Deno.test("scanPorts bounds the number of hosts, with and without consent", async () => {
  const wide = { ports: [1], allowPublicRanges: true };
  const many = { ports: "-", maxHosts: 65_536 };
  await assertRejects(() => scanPorts("10.0.0.0/8", wide), RangeError, "16777216 addresses");
  await assertRejects(() => scanPorts("::/0", wide), RangeError, '(option "maxHosts")');
  await assertRejects(() => scanPorts(["::1", "127.0.0.1"], { maxHosts: 1 }), RangeError);
  await assertRejects(() => scanPorts("10.0.0.0/8", { maxHosts: 2 ** 24 }), RangeError, "maxHosts");
  await assertRejects(() => scanPorts("10.0.0.0/16", many), RangeError, "probes");
});

Deno.test({
  name: "with timeout 0 a port answers at once or is filtered; with Infinity the system decides",
  ignore: Deno.build.os !== "linux", // elsewhere a full queue refuses
  async fn() {
    const hostname = "127.0.0.1";
    using open = Deno.listen({ hostname, port: 0 });
    using full = Deno.listen({ hostname, port: 0, tcpBacklog: 1 });
    const closed = Deno.listen({ hostname, port: 0 });
    closed.close();
    const [free, silent, none] = [open, full, closed].map(({ addr }) => addr.port) as [
      number,
      number,
      number,
    ];
    const ending = new AbortController();
    const { signal } = ending;
    const connecting = Array.from(
      { length: 8 },
      () => Deno.connect({ hostname, port: silent, signal }).then((c) => c.close(), () => {}),
    );
    const stateOf = async (ports: number[], timeout: number) => {
      const { hosts: [host] } = await scanPorts(hostname, { ports, timeout, retries: 3 });
      return ports.map((port) => [...host?.ports() ?? []].find((one) => one.port === port)?.reason);
    };
    const reasons = await stateOf([free, silent, none], 0);
    assertEquals(reasons, ["accepted", "no answer", "refused"]);
    assertEquals(await stateOf([free, none], Infinity), ["accepted", "refused"]);
    ending.abort();
    await Promise.all(connecting);
  },
});

Deno.test("scanPorts checks its options", async () => {
  for (
    const options of [
      { timeout: -1 },
      { retries: 11 },
      { retries: 0.5 },
      { concurrency: 0 },
      { ports: [0] },
      { ports: [1.5] },
      { banner: { maxLength: 0 } },
      { maxHosts: 0 },
    ]
  ) {
    const error = await assertRejects(() => scanPorts("127.0.0.1", options));
    assertInstanceOf(error, RangeError, JSON.stringify(options));
  }
  const wrong: [object, string][] = [
    [{ port: 80 }, 'did you mean "ports"?'],
    [{ retires: 2 }, 'did you mean "retries"?'],
    [{ banner: { maxlength: 2 } }, 'did you mean "banner.maxLength"?'],
    [{ banner: 5 }, "current value is 5"],
  ];
  for (const [options, message] of wrong) {
    await assertRejects(() => scanPorts("127.0.0.1", options), TypeError, message);
  }
  for (const hosts of [[], "127.0.0.1/33", "1.2.3/24", "127.0.0.1/8/8", "localhost/8"]) {
    await assertRejects(() => scanPorts(hosts), TypeError, "Cannot scan");
  }
  await assertRejects(() => scanPorts("127.0.0.1", { ports: [] }), TypeError, "no port");
});

Deno.test("an aborted scan rejects with the signal's reason and leaves nothing behind", async () => {
  const reason = new Error("enough");
  await assertRejects(
    () => scanPorts("127.0.0.1", { signal: AbortSignal.abort(reason) }),
    Error,
    "enough",
  );
  const controller = new AbortController();
  const scan = scanPorts("127.0.0.1", { ports: "-", signal: controller.signal });
  controller.abort(reason);
  await assertRejects(() => scan, Error, "enough");
  using listener = Deno.listen({ port: 0 });
  const { port } = listener.addr;
  const listening = new AbortController();
  const accepting = listener.accept();
  const banners = scanPorts("127.0.0.1", {
    ports: [port],
    banner: { timeout: 60_000 },
    signal: listening.signal,
  });
  using conn = await accepting;
  listening.abort(reason);
  await assertRejects(() => banners, Error, "enough");
  assertEquals(await conn.read(new Uint8Array(1)), null);
});

/** Scans one port for its banner, with `say` behind it. */
async function bannerOf(
  say: (conn: Deno.TcpConn) => Promise<unknown>,
): Promise<Uint8Array | undefined> {
  using listener = Deno.listen({ port: 0 });
  const { port } = listener.addr;
  const scan = scanPorts("127.0.0.1", { ports: [port], banner: { timeout: 300, maxLength: 64 } });
  using conn = await listener.accept();
  const saying = say(conn).catch(() => {}); // cut off in the middle
  const { hosts: [host] } = await scan;
  await saying;
  assertEquals(host?.counts.open, 1);
  return host?.open[0]?.banner;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("what the caller's own functions throw ends the scan, and nothing is left behind", async () => {
  using listeners = await someListeners();
  const ports = listeners.open;
  const fail = () => {
    throw new Error("not like this");
  };
  await assertRejects(
    () => scanPorts("127.0.0.1", { ports, onOpen: fail }),
    Error,
    "not like this",
  );
  await assertRejects(
    () => scanPorts("127.0.0.1", { ports, onProgress: fail }),
    Error,
    "not like this",
  );
});

Deno.test("banners: a line, a line in pieces, silence, a flood, a drip, a reset", async () => {
  assertEquals(await bannerOf((conn) => conn.write(utf8("220 ready\r\n"))), utf8("220 ready\r\n"));
  const inPieces = async (conn: Deno.TcpConn) => {
    conn.setNoDelay(true);
    for (const byte of utf8("hello\n")) await conn.write(Uint8Array.of(byte));
  };
  assertEquals(await bannerOf(inPieces), utf8("hello\n"));
  assertEquals(await bannerOf(() => Promise.resolve()), undefined);
  const flood = async (conn: Deno.TcpConn) => {
    while (true) await conn.write(new Uint8Array(65_536).fill(0x41));
  };
  assertEquals(await bannerOf(flood), new Uint8Array(64).fill(0x41));
  const drip = async (conn: Deno.TcpConn) => {
    conn.setNoDelay(true);
    while (true) {
      await conn.write(utf8("x"));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const dripped = await bannerOf(drip);
  assertEquals(dripped?.every((byte) => byte === 0x78) && dripped.length < 10, true);
});

Deno.test("imported from a server, as from JSR, it loads its worker from there", async () => {
  const asked: string[] = [];
  const root = new URL("../..", import.meta.url);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    const source = await Deno.readTextFile(new URL(`.${pathname}`, root));
    return new Response(source, { headers: { "content-type": "application/typescript" } });
  });
  const at = `127.0.0.1:${server.addr.port}`;
  const script = `
    import { scanPorts } from "http://${at}/apps/scan/mod.ts";
    const { hosts } = await scanPorts("127.0.0.1", { ports: "1-8000" });
    console.log(Object.values(hosts[0].counts).reduce((all, one) => all + one));`;
  const file = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(file, script);
  const args = ["--no-prompt", "--no-check", "--no-lock", "--reload", "--allow-net"];
  const { stdout, stderr } = await run(Deno.execPath(), [
    ...["run", ...args, `--allow-import=${at}`, file],
  ]);
  await Deno.remove(file);
  await server.shutdown();
  assertEquals(stdout, "8000\n", stderr);
  assertEquals(asked.filter((path) => path === "/apps/scan/_worker.ts").length, 2);
});

/** What the scripts below get from the program. */
interface Scanned {
  code: number;
  stdout: string;
  stderr: string;
}

testWith("network", "nmap", "python3")({
  name: "port_scan finds the same open ports as nmap, on both families, phantoms excluded",
  async fn() {
    const { v4, v6, nmap4, nmap6, wanted } = await inNamespace<Record<string, number[]>>(`
wanted = [1, 22, 1024, 8080, 32768, 33001, 45678, 60999, 65535]
keep = [listen(port) for port in wanted] + [listen(port, "::1") for port in wanted[:4]]
def nmap(*args):
    out = subprocess.run(["nmap", "-sT", "-n", "-Pn", "-oG", "-", *args], capture_output=True, text=True).stdout
    line = [l for l in out.splitlines() if "Ports:" in l][0].split("Ports: ")[1].split("\\t")[0]
    return sorted(int(p.split("/")[0]) for p in line.split(", ") if "/open/" in p)
print(json.dumps({"wanted": wanted, "nmap4": nmap("127.0.0.1", "-p-"), "nmap6": nmap("-6", "::1", "-p1-9000"),
  "v4": ports(scan("127.0.0.1", "--ports", "-", "--json")), "v6": ports(scan("::1", "--ports", "1-9000", "--json"))}))
`);
    assertEquals(nmap4, wanted);
    assertEquals(v4, nmap4);
    assertEquals(v6, nmap6);
    assertEquals(v6, wanted?.slice(0, 4));
  },
});

isolatedTest({
  name: "port_scan tells filtered ports and why, and loses none that answers",
  async fn() {
    const found = await inNamespace<Record<string, Scanned> & { open: number[]; silent: number[] }>(
      `
keep = [listen(p, "10.9.0.1") for p in (7, 500)]
sh("ip route add unreachable 10.9.1.0/24; ip route add prohibit 10.9.2.0/24; ip route add blackhole 10.9.3.0/24")
few = ["--ports", "1-3", "--timeout", "100ms"]
both = scan("10.9.0.1", "10.9.0.2", "--ports", "1-600", "--timeout", "300ms", "--all", "--json")
print(json.dumps({
  "silentHost": scan("10.9.0.2", *few, "--json"),
  "table": scan("10.9.0.2", *few),
  "unreachable": scan("10.9.1.1", *few), "prohibit": scan("10.9.2.1", *few), "blackhole": scan("10.9.3.1", *few),
  "offline": scan("192.0.2.1", *few),
  "open": ports(both), "silent": ports(both, "filtered"), "both": both}))
`,
    );
    assertEquals(
      found.silentHost?.stdout,
      [1, 2, 3].map((port) =>
        `{"host":"10.9.0.2","address":"10.9.0.2","port":${port},"state":"filtered","reason":"no answer"}\n`
      ).join(""),
    );
    assertEquals(found.silentHost?.code, 0);
    assertStringIncludes(
      found.table?.stdout ?? "",
      "1     filtered                    (no answer)\n",
    );
    assertStringIncludes(found.unreachable?.stderr ?? "", "3 filtered (host unreachable)");
    assertStringIncludes(found.prohibit?.stderr ?? "", "3 filtered (not permitted)");
    assertStringIncludes(found.blackhole?.stderr ?? "", "3 filtered (not possible)");
    assertStringIncludes(found.offline?.stderr ?? "", "3 filtered (network unreachable)");
    assertEquals(found.open, [7, 500]);
    assertEquals(found.silent.length, 600);
    assertEquals(found.both?.stdout.split("\n").length, 1_201);
  },
});

isolatedTest({
  name: "port_scan gets by with few descriptors, and finds everything",
  async fn() {
    const { result, open, silent } = await inNamespace<
      { result: Scanned; open: number[]; silent: number }
    >(`
import resource
keep = [listen(p) for p in (7, 4000, 9999)]
few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
result = scan("127.0.0.1", "--ports", "1-10000", "--json", preexec_fn=few)
silent = scan("127.0.0.1", "10.9.0.2", "--ports", "1-100", "--timeout", "100ms", "--json", "--all", preexec_fn=few)
print(json.dumps({"result": result, "open": ports(result), "silent": len(ports(silent, "filtered"))}))
`);
    assertEquals(result.code, 0, result.stderr);
    assertEquals(open, [7, 4000, 9999]);
    assertEquals(silent, 100);
  },
});

isolatedTest({
  name: "port_scan asks again when the first question is lost",
  async fn() {
    const { once, twice } = await inNamespace<Record<string, number[]>>(`
# 10.9.0.3 listens, but its packets go astray until somebody has asked in vain.
peer = subprocess.Popen(["unshare", "--net", "python3", "-c", """
import socket, sys
keep = []
for port in range(2000, 2020):
    keep.append(socket.socket()); keep[-1].bind(("0.0.0.0", port)); keep[-1].listen(99)
print("ready", flush=True)
sys.stdin.read()
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
peer.stdout.readline()
inside = "nsenter -t %d -n " % peer.pid
sh("ip link set there netns %d" % peer.pid)
sh(inside + "ip addr add 10.9.0.3/24 dev there; " + inside + "ip link set there up")
address = json.loads(subprocess.check_output(inside + "ip -j link show there", shell=True))[0]["address"]
def astray():
    sh("ip neigh replace 10.9.0.3 lladdr 02:00:00:00:00:02 dev here")
def asked():
    return sum(1 for line in open("/proc/net/tcp") if line.split()[3] == "02")
def helped(retries):
    astray()
    # The system asks again by itself after 1,000 ms.
    child = subprocess.Popen(SCAN + ["10.9.0.3", "--ports", "2000-2019", "--timeout", "900ms", "--json",
        "--retries", retries], stdout=subprocess.PIPE, text=True)
    while asked() < 20:
        time.sleep(0.005)
    sh("ip neigh replace 10.9.0.3 lladdr %s dev here" % address)
    return ports({"stdout": child.communicate()[0]})
print(json.dumps({"once": helped("0"), "twice": helped("2")}))
peer.stdin.close()
peer.wait()
`);
    assertEquals(once, []);
    assertEquals(twice, parsePorts("2000-2019"));
  },
});

isolatedTest({
  name: "port_scan needs no permission but the network, and is as right without its worker",
  async fn() {
    const { result, open } = await inNamespace<{ result: Scanned; open: number[] }>(`
SCAN[:] = [a if a != "--allow-all" else "--allow-net" for a in SCAN]
SCAN.insert(2, "--no-prompt")
keep = [listen(p) for p in (7, 4000, 9999)]
result = scan("127.0.0.1", "--ports", "1-10000", "--json")
print(json.dumps({"result": result, "open": ports(result)}))
`);
    assertEquals(open, [7, 4000, 9999]);
    assertEquals(result.stderr.split(" in ")[0], "127.0.0.1: 3 open, 9997 closed, 0 filtered");
  },
});

isolatedTest({
  name: "port_scan interrupted shows what it found and exits 130",
  async fn() {
    const result = await inNamespace<Scanned>(`
keep = listen(7, "10.9.0.1")
child = subprocess.Popen(SCAN + ["10.9.0.1", "10.9.0.2", "--ports", "1-200", "--timeout", "60000ms", "--json"],
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
def waiting(): # connections to the silent host that have been begun
    return sum(1 for line in open("/proc/net/tcp") if line.split()[3] == "02")
while waiting() < 200:
    time.sleep(0.01)
child.send_signal(signal.SIGINT)
out, err = child.communicate()
print(json.dumps({"code": child.returncode, "stdout": out, "stderr": err}))
`);
    assertEquals(result.code, 130);
    assertEquals(JSON.parse(result.stdout).port, 7);
    assertStringIncludes(result.stderr, "interrupted at ");
  },
});
