/** Help, usage errors and the version: by the name that was called, and true. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../cli/commands.ts";
import { tincan } from "./_tincan.ts";

const limit = { timeout: 30_000 };
const { version } = JSON.parse(
  await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
);

Deno.test(
  "tincan alone shows the commands on stderr and exits 2; help is data",
  limit,
  async () => {
    const alone = await tincan([]);
    assertEquals([alone.code, alone.stdout], [2, ""]);
    for (const args of [["help"], ["--help"], ["-h"]]) {
      const { code, stdout, stderr } = await tincan(args);
      assertEquals([code, stdout, stderr], [0, alone.stderr, ""]);
    }
    for (const { name } of COMMANDS) assertMatch(alone.stderr, new RegExp(`^  ${name} `, "m"));
  },
);

Deno.test("tincan --version says the version of deno.json", limit, async () => {
  for (const flag of ["--version", "-V"]) {
    assertEquals(await tincan([flag]), { code: 0, stdout: `tincan ${version}\n`, stderr: "" });
  }
});

for (const { name, loadUdp } of COMMANDS) {
  for (const udp of loadUdp === undefined ? [[]] : [[], ["--udp"]]) {
    const called = ["tincan", name, ...udp].join(" ");
    Deno.test(`${called} --help names itself, and has examples`, limit, async () => {
      const { code, stdout, stderr } = await tincan([name, ...udp, "--help"]);
      assertEquals([code, stderr], [0, ""]);
      assertEquals((await tincan(["help", name, ...udp])).stdout, stdout);
      assertStringIncludes(stdout, `Usage: ${called}`);
      assertMatch(stdout, /\nExit codes: 0 /);
      const [, examples = ""] = stdout.split("\nExamples:\n");
      assertMatch(examples, new RegExp(`tincan ${name}`));
      assert(!/\w+\.ts\b/.test(stdout), "it names a file of the examples");
      for (const line of stdout.split("\n")) assert(line.length <= 100, `too long: ${line}`);
    });
  }
}

const USAGE_ERRORS: [string[], RegExp, string][] = [
  [["ech"], /^Unknown command "ech", did you mean echo\?/, "tincan"],
  [["listn", "9000"], /did you mean listen\?/, "tincan"],
  [["--verison"], /^Unknown option --verison, did you mean --version\?/, "tincan"],
  [["-l", "9000"], /^Unknown option -l, did you mean tincan listen\?/, "tincan"],
  [["-kl", "9000"], /^Unknown option -kl, did you mean tincan listen\?/, "tincan"],
  [["-v", "host", "80"], /^Unknown option -v, did you mean tincan connect\?/, "tincan"],
  [["host.example", "80"], /did you mean tincan connect host\.example 80\?/, "tincan"],
  [["host.example:80"], /did you mean tincan connect host\.example:80\?/, "tincan"],
  [["connect", "-l", "80"], /^Unknown option -l, did you mean tincan listen\?/, "tincan connect"],
  [["connect", "-z", "h", "80"], /did you mean tincan scan\?/, "tincan connect"],
  [["connect", "-s", "::1", "h", "80"], /^Unknown option -s, the system chooses/, "tincan connect"],
  [["connect", "-e", "sh", "80"], /^Unknown option -e, there is none to run/, "tincan connect"],
  [["connect", "-p", "80"], /^Unknown option -p, did you mean --port\?/, "tincan connect"],
  [["echo", "--cert", "x"], /^Unknown option --cert\n/, "tincan echo"],
  [["echo", "-s"], /^Unknown option -s\n/, "tincan echo"],
  [["http", "-o"], /^Option -o needs a value\n/, "tincan http"],
  [["help", "fils"], /^Unknown command "fils", did you mean files\?/, "tincan"],
  [["echo", "--prot", "1"], /^Unknown option --prot, did you mean --port\?/, "tincan echo"],
  [["echo", "--upd"], /^Unknown option --upd, did you mean --udp\?/, "tincan echo"],
  [["echo", "clint"], /^Unknown command "clint", did you mean client\?/, "tincan echo"],
  [["echo", "--udp", "clint"], /did you mean client\?/, "tincan echo --udp"],
  [["chat", "join"], /^Option --name is needed to join/, "tincan chat"],
  [["files", "gte"], /did you mean get\?/, "tincan files"],
  [["relay", "--lisen", "1"], /did you mean --listen\?/, "tincan relay"],
  [["scan"], /^Nothing to scan/, "tincan scan"],
  [["http"], /^A URL is needed/, "tincan http"],
  [["completions"], /^Expected bash or zsh or fish/, "tincan completions"],
  [["connect"], /^Nowhere to connect to: give HOST PORT/, "tincan connect"],
  [
    ["connect", "host"],
    /^Expected HOST:PORT or HOST PORT, current value is "host"/,
    "tincan connect",
  ],
  [["connect", "a", "70000"], /must be a whole number from 1 to 65535/, "tincan connect"],
  [["connect", "a", "1", "b"], /^Unexpected argument "b"/, "tincan connect"],
  [["connect", "1", "--port", "2"], /^Unexpected argument "1"/, "tincan connect"],
  [
    ["connect", "1", "--unix", "x"],
    /^Unexpected argument "1": --unix says where/,
    "tincan connect",
  ],
  [["connect", "1", "--insecure"], /^Option --insecure needs --tls/, "tincan connect"],
  [["connect", "1", "--tls", "--cert", "x"], /^Option --cert needs --key/, "tincan connect"],
  [["connect", "1", "--tls", "--udp"], /^Cannot use --tls with --udp/, "tincan connect"],
  [["connect", "1", "--framing", "x"], /^Unknown framing "x"/, "tincan connect"],
  [["connect", "1", "--udp", "--framing", "u8"], /must be lines with --udp/, "tincan connect"],
  [
    ["connect", "1", "--timeout", "soon"],
    /must be seconds, current value is "soon"/,
    "tincan connect",
  ],
  [["connect", "1", "--hex", "--json"], /^Cannot show both --hex and --json/, "tincan connect"],
  [["scan", "h", "--timeout", "0"], /must be seconds, current value is "0"/, "tincan scan"],
  [["relay", "--listen", "1", "--to", "h"], /^Option --to must be HOST:PORT/, "tincan relay"],
  [["files", "list", "--ca", "x"], /^Option --ca needs --tls/, "tincan files"],
  [["files", "get", "x", "--checksum", "md5"], /must be sha256, crc32 or none/, "tincan files"],
  [["chat", "--tls"], /^Option --tls needs --cert and --key/, "tincan chat"],
  [["listen", "70000"], /must be a whole number from 0 to 65535/, "tincan listen"],
  [["listen", "--tls"], /^Option --tls needs --cert and --key/, "tincan listen"],
  [["listen", "--keep-opne"], /did you mean --keep-open\?/, "tincan listen"],
];
Deno.test(
  "what is wrong is said by the name that was called, with exit code 2",
  limit,
  async () => {
    await Promise.all(USAGE_ERRORS.map(async ([args, message, called]) => {
      const { code, stdout, stderr } = await tincan(args);
      assertMatch(stderr, message);
      assertMatch(stderr, new RegExp(`^[^\\n]+\\nTry ${called} --help\\n$`));
      assertEquals([code, stdout], [2, ""], args.join(" "));
    }));
  },
);

Deno.test(
  "the commands are the programs: echo, chat, files, http, scan and relay run",
  limit,
  async () => {
    const scan = await tincan(["scan", "127.0.0.1", "--ports", "1", "--json"]);
    assertEquals(JSON.parse(scan.stdout).state, "closed");
    const echo = await tincan(["echo", "client", "--port", "1"]);
    assertEquals([echo.code, echo.stderr], [
      1,
      "Cannot connect to 127.0.0.1:1: connection refused\n",
    ]);
    const udp = await tincan(["chat", "--udp", "--name", "a", "--contacts", "/no/such"]);
    assertEquals([udp.code, udp.stderr], [1, "Cannot read /no/such: no such file\n"]);
    const files = await tincan(["files", "list", "--port", "1"]);
    assertEquals(files.code, 1);
    const http = await tincan(["http", "http://127.0.0.1:1/"]);
    assertMatch(http.stderr, /^refused: /);
    const relay = await tincan(["relay", "--read", "-", "--json"]);
    assertEquals(relay, { code: 0, stdout: "", stderr: "" });
  },
);
