/**
 * Fetching a large page beside curl and the runtime's own fetch, all in one run.
 *
 *     deno run -A bench/http_bench.ts [--rounds 5] [--megabytes 1024]
 *
 * The server is Python, which sends the same piece of memory again and again. Bodies go to /dev/null.
 * Medians of interleaved rounds; only the ratios mean anything elsewhere.
 */
import { httpGet, saveBody } from "../apps/http/mod.ts";
import { median, printTable, start } from "./_harness.ts";
import { parseArgs } from "@std/cli/parse-args";

const SERVER = `
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    conn, _ = server.accept()
    with conn:
        _, kind, size, count = conn.recv(4096).split(b" ")[1].split(b"/")[:4]
        size, count = int(size), int(count)
        if kind == b"chunked":
            head, chunk = b"Transfer-Encoding: chunked", b"%x\\r\\n%s\\r\\n" % (size, b"x" * size)
        else:
            head, chunk = b"Content-Length: %d" % (size * count), b"x" * size
        conn.sendall(b"HTTP/1.1 200 OK\\r\\n%s\\r\\n\\r\\n" % head)
        block = chunk * max(1, 1048576 // size)
        try:
            for _ in range(count // max(1, 1048576 // size)):
                conn.sendall(block)
            if kind == b"chunked":
                conn.sendall(b"0\\r\\n\\r\\n")
        except OSError:
            pass
`;

const flags = parseArgs(Deno.args, { string: ["rounds", "megabytes"] });
const rounds = Number(flags.rounds ?? 5);
const bytes = Number(flags.megabytes ?? 1024) * 1024 * 1024;

const FETCHERS: Record<string, (url: string) => Promise<void>> = {
  async "curl -so /dev/null"(url) {
    await new Deno.Command("curl", { args: ["-so", "/dev/null", url] }).output();
  },
  async "httpGet, saveBody"(url) {
    await saveBody(await httpGet(url), "/dev/null");
  },
  async "httpGet, for await"(url) {
    for await (const _ of await httpGet(url));
  },
  async "fetch, for await"(url) {
    const { body } = await fetch(url);
    for await (const _ of body ?? []);
  },
};

await using server = await start({ name: "python", command: "python3", args: ["-c", SERVER] });
const loads = [["length", 65_536, 1], ["chunked", 65_536, 1], ["chunked", 1_024, 1], [
  "chunked",
  64,
  16,
]];
for (const [kind, size, part] of loads as [string, number, number][]) {
  const url = `http://127.0.0.1:${server.port}/${kind}/${size}/${bytes / part / size}/`;
  const rates = new Map<string, number[]>(Object.keys(FETCHERS).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, fetcher] of Object.entries(FETCHERS)) {
      const before = performance.now();
      await fetcher(url);
      rates.get(name)?.push(bytes / part / (performance.now() - before) / 1000);
    }
  }
  const control = median(rates.get("curl -so /dev/null") ?? []);
  printTable(
    kind === "length" ? "One body with Content-Length" : `Chunks of ${size} B`,
    ["client", "MB/s", "x curl"],
    [...rates].map(([name, list]) => [
      name,
      median(list).toFixed(0),
      (median(list) / control).toFixed(2),
    ]),
  );
}
