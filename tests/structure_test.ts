/**
 * The shape of the project: who may import whom, what framing must not know, and which names are
 * public. A name that is missing below, or one too many, is a change of the interface: make it on
 * purpose.
 */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/**
 * What each part of the project may import, besides itself. A new folder needs its line here.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "errors.ts": [],
  "common": ["errors.ts"],
  "_internal": ["errors.ts", "common"],
  "framing": ["errors.ts", "common"],
  "tcp": ["errors.ts", "common", "_internal", "framing"],
  "udp": ["errors.ts", "common", "_internal", "framing"],
  "mod.ts": ["errors.ts", "framing", "tcp", "udp"],
  "apps": ["errors.ts", "common", "framing", "tcp", "udp"],
  "terminal": ["errors.ts", "common", "framing", "tcp", "udp", "apps"],
  "examples": ["mod.ts", "errors.ts", "common", "framing", "tcp", "udp", "apps", "terminal"],
  "cli": [
    "mod.ts",
    "errors.ts",
    "common",
    "framing",
    "tcp",
    "udp",
    "apps",
    "terminal",
    "examples",
    "deno.json",
  ],
};

/** The public names of each entry point, types included. */
const EXPORTS: Readonly<Record<string, readonly string[]>> = {
  "apps/files/mod.ts": [
    "FileChecksum",
    "FileClientOptions",
    "FileEntry",
    "FileProgress",
    "FileServerOptions",
    "FileTransferError",
    "FileTransferErrorCode",
    "FileTransferEvent",
    "FileTransferResult",
    "GetFileOptions",
    "ListFilesOptions",
    "PutFileOptions",
    "UploadOptions",
    "getFile",
    "listFiles",
    "putFile",
    "serveFiles",
  ],
  "errors.ts": [
    "ClosedError",
    "ClosedErrorCode",
    "FrameError",
    "FrameErrorCode",
    "LimitError",
    "LimitErrorCode",
    "NetError",
    "NetErrorFields",
    "NetOperation",
    "NetTransport",
    "SocketAddress",
    "SocketError",
    "TincanError",
    "isNetError",
  ],
  "tcp/mod.ts": [
    "CloseInfo",
    "CloseOptions",
    "Framed",
    "ReadOptions",
    "ReadUntilOptions",
    "RetryOptions",
    "ShutdownOptions",
    "TcpConnectBaseOptions",
    "TcpConnectOptions",
    "TcpConnection",
    "TcpConnectionStats",
    "TcpHandler",
    "TcpLimits",
    "TcpServer",
    "TcpServerBaseOptions",
    "TcpServerLimits",
    "TcpServerOptions",
    "TcpServerStats",
    "TcpTimeouts",
    "TlsClientOptions",
    "TlsServerOptions",
    "UnixConnectOptions",
    "UnixServerOptions",
    "connectTcp",
    "formatAddr",
    "serveTcp",
  ],
  "framing/mod.ts": [
    "ChecksumFunction",
    "ChecksummedOptions",
    "ChunkSource",
    "Codec",
    "CorruptOptions",
    "Decoder",
    "DecoderProgress",
    "DelimitedOptions",
    "Emit",
    "FrameDecoderStream",
    "FrameEncoderStream",
    "FrameError",
    "FrameErrorCode",
    "Frames",
    "FramingCodec",
    "JsonLinesOptions",
    "LengthPrefixedOptions",
    "LimitOptions",
    "LinesOptions",
    "MappedOptions",
    "OutputBuffer",
    "PacketOptions",
    "TextOptions",
    "checksummed",
    "cobs",
    "crc32",
    "delimited",
    "fixed",
    "frames",
    "json",
    "jsonLines",
    "lengthPrefixed",
    "lines",
    "mapped",
    "netstring",
    "slip",
    "text",
    "varintPrefixed",
  ],
  "udp/mod.ts": [
    "Datagram",
    "DatagramData",
    "DedupOptions",
    "MulticastMembership",
    "MulticastOptions",
    "SessionEnd",
    "SessionHandler",
    "ShutdownOptions",
    "SocketAddress",
    "UdpBaseOptions",
    "UdpBindOptions",
    "UdpConnectOptions",
    "UdpEndpoint",
    "UdpEndpointStats",
    "UdpHandler",
    "UdpHandlerContext",
    "UdpPeer",
    "UdpReceiveOptions",
    "UdpRequestOptions",
    "UdpServer",
    "UdpServerBaseOptions",
    "UdpServerOptions",
    "UdpServerStats",
    "UdpSession",
    "UdpSessions",
    "UdpSessionsOptions",
    "UdpSessionsStats",
    "UdpSocket",
    "UdpSocketOptions",
    "UdpTarget",
    "UnixDatagramOptions",
    "UnixDatagramServerOptions",
    "bindUdp",
    "connectUdp",
    "formatAddr",
    "serveUdp",
    "sessions",
  ],
  "apps/chat/mod.ts": [
    "ChatClient",
    "ChatConnectOptions",
    "ChatHandlerOptions",
    "ChatJoinError",
    "ChatJoinErrorCode",
    "ChatJoinOptions",
    "ChatLine",
    "ChatOutput",
    "ChatRoom",
    "ChatRoomLimits",
    "ChatRoomOptions",
    "ChatServerOptions",
    "ChatSession",
    "ChatTimeouts",
    "ContactAddress",
    "UdpChat",
    "UdpChatMessage",
    "UdpChatOptions",
    "bindUdpChat",
    "chatHandler",
    "joinChat",
    "parseChatLine",
    "parseContacts",
    "serveChat",
    "toPrintable",
  ],
  "apps/echo.ts": [
    "EchoOptions",
    "echoHandler",
    "echoReply",
  ],
  "apps/http/mod.ts": [
    "FormatTraceOptions",
    "HttpBodyOptions",
    "HttpError",
    "HttpErrorCode",
    "HttpFailure",
    "HttpGetOptions",
    "HttpHead",
    "HttpLimits",
    "HttpPart",
    "HttpRedirect",
    "HttpRequestHead",
    "HttpResponse",
    "HttpResponsesOptions",
    "HttpTimeouts",
    "HttpTraceEvent",
    "SaveBodyOptions",
    "formatTrace",
    "httpFailure",
    "httpGet",
    "httpResponses",
    "saveBody",
  ],
  "apps/relay/mod.ts": [
    "CaptureEnd",
    "FRAMING_NAMES",
    "FramingOptions",
    "JsonText",
    "ReadCaptureOptions",
    "RelayDump",
    "RelayDumpOptions",
    "RelayEvent",
    "RelayObserver",
    "RelayOptions",
    "RelaySide",
    "RelayView",
    "endOfCapture",
    "framingByName",
    "readCapture",
    "serveRelay",
  ],
  "apps/scan/mod.ts": [
    "HostReport",
    "PortResult",
    "PortState",
    "ScanOptions",
    "ScanProgress",
    "ScanReport",
    "scanPorts",
  ],
};

/** What applications may import besides `common/` and their own folder. */
const PUBLIC = ["errors.ts", "framing/mod.ts", "tcp/mod.ts", "udp/mod.ts"];

/** The longest file, in lines. */
const MAX_LINES = 400;

/** What `mod.ts` gathers. */
const GATHERED = ["errors.ts", "framing/mod.ts", "tcp/mod.ts", "udp/mod.ts"];

interface Module {
  path: string;
  code: string;
  lines: number;
  imports: string[];
}

/** Every TypeScript file of the project's own, by its path from the root. */
async function readModules(): Promise<Map<string, Module>> {
  const modules = new Map<string, Module>();
  async function walk(folder: string): Promise<void> {
    for await (const entry of Deno.readDir(new URL(folder || "./", ROOT))) {
      const path = folder + entry.name;
      if (entry.isDirectory) {
        if (folder !== "" || entry.name in MAY_IMPORT) await walk(`${path}/`);
      } else if (entry.name.endsWith(".ts") && !entry.name.endsWith("_test.ts")) {
        const source = await Deno.readTextFile(new URL(path, ROOT));
        const lines = source.split("\n").length - 1;
        modules.set(path, { path, lines, ...scan(path, source) });
      }
    }
  }
  await walk("");
  return modules;
}

/** The code without its comments, and the files it imports; type-only imports count. */
function scan(path: string, source: string): { code: string; imports: string[] } {
  const code = source
    // Strings are kept, so that a "//" inside one is not taken for a comment.
    .replace(
      /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/.*/g,
      (_, text) => text ?? " ",
    );
  const imports: string[] = [];
  for (const [, from, called] of code.matchAll(/\bfrom\s*"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/g)) {
    const specifier = from ?? called ?? "";
    if (!specifier.startsWith(".")) continue;
    const url = new URL(specifier, new URL(path, ROOT)).href;
    imports.push(url.slice(ROOT.href.length));
  }
  return { code, imports };
}

function partOf(path: string): string {
  return path.split("/", 1)[0] as string;
}

Deno.test("imports only point down", async () => {
  const modules = await readModules();
  assert(modules.has("mod.ts") && modules.has("tcp/server.ts"), "the scan has found too little");
  const wrong: string[] = [];
  for (const { path, imports } of modules.values()) {
    const allowed = MAY_IMPORT[partOf(path)];
    assert(allowed, `${path} is in no layer: add its folder to MAY_IMPORT`);
    for (const target of imports) {
      const part = partOf(target);
      if (part !== partOf(path) && !allowed.includes(part)) wrong.push(`${path} -> ${target}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("files with a leading underscore belong to their folder", async () => {
  const wrong: string[] = [];
  for (const { path, imports } of (await readModules()).values()) {
    for (const target of imports) {
      const folder = target.slice(0, target.lastIndexOf("/") + 1);
      const isPrivate = target.slice(folder.length).startsWith("_");
      if (isPrivate && !path.startsWith(folder)) wrong.push(`${path} -> ${target}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("applications need public names only", async () => {
  const wrong: string[] = [];
  for (const { path, imports } of (await readModules()).values()) {
    if (partOf(path) !== "apps") continue;
    const own = path.slice(0, path.lastIndexOf("/") + 1);
    for (const target of imports) {
      const isAllowed = PUBLIC.includes(target) || target.startsWith("common/") ||
        (own !== "apps/" && target.startsWith(own));
      if (!isAllowed) wrong.push(`${path} -> ${target}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("applications know no arguments and no terminal, and print nothing", async () => {
  const wrong: string[] = [];
  const words =
    /\b(?:Deno\.(?:args|exit|std(?:in|out|err)|consoleSize|noColor)|console\.|prompt\()/g;
  for (const { path, code } of (await readModules()).values()) {
    if (partOf(path) !== "apps") continue;
    for (const [word] of code.matchAll(words)) wrong.push(`${path}: ${word}`);
  }
  assertEquals(wrong, []);
});

Deno.test("a class or type has a name of its own in the whole project", async () => {
  const files = new Map<string, string[]>();
  for (const { path, code } of (await readModules()).values()) {
    for (const [, name = ""] of code.matchAll(/^(?:export )?(?:class|interface|type) (\w+)/gm)) {
      files.set(name, [...files.get(name) ?? [], path]);
    }
  }
  const shared = [...files].filter(([, paths]) => paths.length > 1);
  assertEquals(shared, []);
});

Deno.test("a name that several entry points export is the same thing", async () => {
  const modules = [...(await readModules()).values()];
  const lists = Object.values(EXPORTS).map((names) => new Set(names));
  const repeated = new Set(
    lists.flatMap((names, index) =>
      [...names].filter((name) => lists.slice(index + 1).some((others) => others.has(name)))
    ),
  );
  for (const name of repeated) {
    const declaration = new RegExp(
      `^export (?:async )?(?:class|function|interface|type|const) ${name}\\b`,
      "m",
    );
    const paths = modules.filter(({ code }) => declaration.test(code)).map(({ path }) => path);
    assertEquals(paths.length, 1, `${name} is declared in ${paths.join(" and ")}`);
  }
});

Deno.test(`no file is longer than ${MAX_LINES} lines`, async () => {
  const long: string[] = [];
  for (const { path, lines } of (await readModules()).values()) {
    if (lines > MAX_LINES) long.push(`${path}: ${lines}`);
  }
  assertEquals(long, []);
});

Deno.test("defaults are said by @default, and not exported", () => {
  const wrong = Object.entries(EXPORTS).filter(([, names]) =>
    names.some((name) => name.startsWith("DEFAULT_"))
  );
  assertEquals(wrong, []);
});

Deno.test("optional fields of public interfaces may be undefined", async () => {
  const wrong: string[] = [];
  for (const { path, code } of (await readModules()).values()) {
    for (const [body, name] of code.matchAll(/^export interface (\w+)[\s\S]*?^}/gm)) {
      for (const [, field, type = ""] of body.matchAll(/^ {2}(?:readonly )?(\w+)\?: ([^]*?);$/gm)) {
        if (type !== "unknown" && !type.endsWith("undefined")) {
          wrong.push(`${path}: ${name}.${field}`);
        }
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("no imports go round in a circle, types included", async () => {
  const modules = await readModules();
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    for (const target of modules.get(path)?.imports ?? []) visit(target, [...trail, path]);
    done.add(path);
  }
  for (const path of modules.keys()) visit(path, []);
  assertEquals(cycles, []);
});

Deno.test("every import is there", async () => {
  const modules = await readModules();
  for (const { path, imports } of modules.values()) {
    for (const target of imports) {
      const isData = !target.endsWith(".ts");
      assert(isData || modules.has(target), `${path} imports ${target}, which is not there`);
    }
  }
});

Deno.test("framing knows no runtime, no time and no promises", async () => {
  const wrong: string[] = [];
  for (const { path, code } of (await readModules()).values()) {
    if (partOf(path) !== "framing") continue;
    for (
      const [word] of code.matchAll(/\b(?:Deno\s*\.|setTimeout|setInterval|performance\.|Date\.)/g)
    ) {
      wrong.push(`${path}: ${word}`);
    }
  }
  assertEquals(wrong, []);
});

/** The names that a module exports, types included, as the documentation tool sees them. */
async function exportedNames(path: string): Promise<string[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", path],
    cwd: ROOT,
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  return namesIn(nodes).sort();
}

function namesIn(nodes: unknown): string[] {
  const names = new Set<string>();
  const files = Array.isArray(nodes) ? [{ symbols: nodes }] : Object.values(nodes as object);
  for (const { symbols } of files as { symbols: { name: string; kind?: string }[] }[]) {
    for (const { name, kind } of symbols) {
      if (kind !== "import" && kind !== "moduleDoc") names.add(name);
    }
  }
  return [...names];
}

for (const [path, names] of Object.entries(EXPORTS)) {
  Deno.test(`${path} exports exactly the names that are listed`, async () => {
    assertEquals(await exportedNames(path), [...names].sort());
  });
}

Deno.test("mod.ts exports everything that it gathers and nothing else", async () => {
  const gathered = GATHERED.flatMap((path) => EXPORTS[path] ?? []);
  assertEquals(await exportedNames("mod.ts"), [...new Set(gathered)].sort());
});

Deno.test("every entry point of the package is listed", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const entries = Object.values(exports as Record<string, string>).map((path) => path.slice(2));
  const missing = entries.filter((path) => path !== "mod.ts" && !(path in EXPORTS));
  assertEquals(missing, [], "add their names to EXPORTS");
});
