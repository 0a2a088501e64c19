/** docs/from-python-sockets.md leaves out no word that Python has. */
import { assert, assertEquals } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { readPage } from "./_page.ts";

const pythonTest = testWith("python3");

/** The words of Python's own modules: methods, functions, classes, errors. */
const WORDS = `
import asyncio, inspect, json, socket, socketserver
def public(thing):
    return [name for name in vars(thing) if not name.startswith("_")]
words = [name for name in dir(socket.socket) if not name.startswith("_")] + socketserver.__all__
for name in public(socket):
    value = getattr(socket, name)
    isError = inspect.isclass(value) and issubclass(value, Exception)
    if isError or inspect.isfunction(value) or inspect.isbuiltin(value):
        words.append(name)
for kind in ("BaseServer", "TCPServer", "BaseRequestHandler", "StreamRequestHandler"):
    words += public(getattr(socketserver, kind))
for kind in (asyncio.StreamReader, asyncio.StreamWriter):
    words += public(kind)
print(json.dumps(sorted(set(words))))
`;

/** The constants of the tutorials. */
const CONSTANTS = [
  ...["AF_INET", "AF_INET6", "AF_UNIX", "SOCK_STREAM", "SOCK_DGRAM", "SOMAXCONN", "INADDR_ANY"],
  ...["SOL_SOCKET", "SO_REUSEADDR", "SO_REUSEPORT", "SO_KEEPALIVE", "SO_RCVBUF", "SO_SNDBUF"],
  ...["SO_BROADCAST", "SO_LINGER", "SO_RCVTIMEO", "SO_SNDTIMEO", "SO_ERROR", "TCP_NODELAY"],
  ...["IPPROTO_TCP", "IP_ADD_MEMBERSHIP", "IP_MULTICAST_TTL", "IP_MULTICAST_LOOP", "SHUT_RD"],
  ...["SHUT_WR", "SHUT_RDWR", "MSG_PEEK", "MSG_WAITALL", "MSG_DONTWAIT", "MSG_OOB", "IPV6_V6ONLY"],
];

/** Families of constants: those without a row of their own are covered by one for all others. */
const FAMILIES = ["SO_", "TCP_", "IP_", "IPV6_", "MSG_", "AI_", "NI_", "EAI_"];

pythonTest("From Python sockets has a row for every word of Python's modules", async () => {
  const { text } = await readPage("docs/from-python-sockets.md");
  const rows = text.split("\n").filter((line) => line.startsWith("| ")).map((line) =>
    line.split(" | ")[0] ?? "" // what Python says, not what it is here
  );
  const { stdout } = await new Deno.Command("python3", { args: ["-c", WORDS] }).output();
  const words: string[] = JSON.parse(new TextDecoder().decode(stdout));
  assert(words.length > 100, `Python has more words than ${words}`);
  const left = (needle: string, pattern: RegExp) =>
    rows.some((row) => pattern.test(row)) ? [] : needle;
  const missing = [...words, ...CONSTANTS].flatMap((word) =>
    left(word, new RegExp(`\\b${word}\\b`))
  );
  assertEquals(missing, []);
  assertEquals(FAMILIES.flatMap((prefix) => left(prefix, new RegExp(`\\b${prefix}…`))), []);
});
