/** With the permissions that docs/tincan.md names, and no others, everything works. */
import { assertEquals } from "@std/assert";
import { inFolder, Shell, shell } from "./_tincan.ts";

const limit = { timeout: 60_000 };
const tincan = new URL("../../cli/tincan.ts", import.meta.url).pathname;
const NET = `${Deno.execPath()} run --no-prompt --allow-net ${tincan}`;
const NET_READ = NET.replace("--allow-net", "--allow-net --allow-read");
const ALL = NET.replace("--allow-net", "--allow-net --allow-read --allow-write");

/** A server, and clients that talk to it with the permissions that are named. */
const CASES: [string, string, string, string][] = [
  ["connect and listen", `${NET} listen < /dev/null`, `echo hi | ${NET} connect "$2"`, ""],
  [
    "TLS without certificates to check",
    `echo hi | ${NET_READ} listen --tls --cert "$CERT" --key "$KEY"`,
    `${NET} connect --tls --insecure localhost "$2" < /dev/null`,
    "hi\n",
  ],
  [
    "TLS with --ca",
    `echo hi | ${NET_READ} listen --tls --cert "$CERT" --key "$KEY"`,
    `${NET_READ} connect --tls --ca "$CA" localhost "$2" < /dev/null`,
    "hi\n",
  ],
  ["datagrams", `exec ${NET} echo --udp --port 0`, `echo hi | ${NET} connect --udp "$2"`, "hi\n"],
  ["echo", `exec ${NET} echo --port 0`, `${NET} echo client --port "$2" --message hi`, "hi\n"],
  [
    "http",
    `printf 'HTTP/1.0 200 OK\\r\\n\\r\\nhi' | ${NET} listen`,
    `${NET} http "127.0.0.1:$2"`,
    "hi",
  ],
  [
    "scan",
    `exec ${NET} echo --port 0`,
    `${NET} scan 127.0.0.1 --ports "$2" 2> /dev/null | grep -co open`,
    "1\n",
  ],
  [
    "relay",
    `exec ${NET} relay --listen 0 --to 127.0.0.1:1`,
    `${NET} connect "$2" < /dev/null 2> /dev/null; true`,
    "",
  ],
  [
    "files",
    `echo hi > "$1/file"; exec ${ALL} files serve "$1" --port 0`,
    `${ALL} files get file --port "$2" --output "$1/copy" --quiet; cat "$1/copy"`,
    "hi\n",
  ],
];
for (const [name, server, client, expected] of CASES) {
  Deno.test(`${name}: the permissions are enough`, limit, () =>
    inFolder(async (folder) => {
      await using running = new Shell(server, folder);
      const { stdout, stderr } = await shell(client, folder, await running.port());
      assertEquals([stdout, stderr], [expected, ""]);
      if (name === "relay") await running.shows(/connection refused/);
    }));
}

Deno.test("unix sockets: the permissions are enough", limit, () =>
  inFolder(async (folder) => {
    await using server = new Shell(`echo hi | ${ALL} listen --unix "$1/socket"`, folder);
    await server.shows(/listening on/);
    const { stdout } = await shell(`${ALL} connect --unix "$1/socket" < /dev/null`, folder);
    assertEquals(stdout, "hi\n");
  }));

Deno.test("help, version and completions need no permission at all", limit, async () => {
  const none = NET.replace(" --allow-net", "");
  for (const args of ["--version", "help", "help files", "completions bash"]) {
    const { code, stderr } = await shell(`${none} ${args}`);
    assertEquals([code, stderr], [0, ""], args);
  }
});
