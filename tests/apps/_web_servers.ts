// Web servers that people run, started by a test in a folder of its own on free ports of loopback.
import { TextLineStream } from "@std/streams";
import { freePort } from "../_util/ports.ts";

/** A web server and what it serves. */
export interface WebServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  origin: string;
}

/** A program that prints its port as the first line of its output. */
export async function startPrinting(
  command: string,
  args: string[],
  cwd: string,
): Promise<WebServer> {
  const child = new Deno.Command(command, { args, cwd, stdout: "piped", stderr: "null" }).spawn();
  const lines = child.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  const { value } = await lines.read();
  return {
    origin: `http://127.0.0.1:${Number(value)}`,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await lines.cancel();
      await child.status;
    },
  };
}

const PYTHON_HTTP = `
import http.server
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()
`;

/** Python's http.server, serving a folder. */
export function pythonServer(folder: string): Promise<WebServer> {
  return startPrinting("python3", ["-c", PYTHON_HTTP], folder);
}

/** HTTP/1.0 as it was: no lengths, the end of the connection is the end of the page. */
const CLOSING_HTTP = `
import os, socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    conn, _ = server.accept()
    with conn, conn.makefile("rb") as lines:
        path = lines.readline().decode().split(" ")[1]
        while lines.readline() not in (b"\\r\\n", b""):
            pass
        if path == "/moved":
            conn.sendall(b"HTTP/1.0 302 Found\\nLocation: /nums.txt\\n\\nover there")
        elif os.path.exists("." + path):
            conn.sendall(b"HTTP/1.0 200 OK\\nContent-Type: text/plain\\n\\n")
            with open("." + path, "rb") as file:
                conn.sendfile(file)
        else:
            conn.sendall(b"HTTP/1.0 404 Not Found\\r\\n\\r\\nnothing there\\n")
`;

/** A server in Python that speaks HTTP/1.0 and closes behind each page. */
export function closingServer(folder: string): Promise<WebServer> {
  return startPrinting("python3", ["-c", CLOSING_HTTP], folder);
}

/** Chunks of many sizes, cut without regard to lines, and trailers. */
const NODE_HTTP = `
import http from "node:http";
import fs from "node:fs";
import zlib from "node:zlib";
const server = http.createServer((request, response) => {
  if (request.url === "/moved") {
    response.writeHead(308, { location: "nums.txt" });
    return response.end();
  }
  const path = "." + request.url;
  if (!fs.existsSync(path)) {
    response.writeHead(404);
    response.write("not ");
    return response.end("there\\n");
  }
  const body = fs.readFileSync(path);
  const deflates = /deflate/.test(request.headers["accept-encoding"] ?? "");
  response.setHeader("Trailer", "X-Size");
  if (deflates) response.setHeader("Content-Encoding", "deflate");
  const out = deflates ? zlib.deflateSync(body) : body;
  for (let at = 0, size = 1; at < out.length; at += size, size = (size * 3) % 40009) {
    response.write(out.subarray(at, at + size));
  }
  response.addTrailers({ "X-Size": String(out.length) });
  response.end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

/** Node's http with chunked bodies and trailers; in Node if there is one, or else in Deno. */
export async function nodeServer(folder: string): Promise<WebServer> {
  await Deno.writeTextFile(`${folder}/server.mjs`, NODE_HTTP);
  try {
    return await startPrinting("node", ["server.mjs"], folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return await startPrinting(Deno.execPath(), ["run", "-A", "server.mjs"], folder);
  }
}

/** nginx: plain, with TLS, with gzip, with redirects of all kinds. */
export interface Nginx extends WebServer {
  /** `https://localhost:PORT` */
  secure: string;
}

function nginxConfig(folder: string, port: number, tlsPort: number): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/tmp;`).join("\n  ");
  const locations = `
    root ${folder};
    location = /moved { return 301 /nums.txt; }
    location = /twice { return 302 /moved; }
    location = /round { return 302 /about; }
    location = /about { return 302 /round; }
    location = /secure { return 307 https://localhost:${tlsPort}/nums.txt; }
    location = /plain { return 307 http://127.0.0.1:${port}/nums.txt; }
    location /zip/ { alias ${folder}/; gzip on; gzip_types *; gzip_min_length 0; }
    location /packed/ { alias ${folder}/; types {} add_header Content-Encoding gzip; }
    location /wait/ { alias ${folder}/; limit_rate 100k; }`;
  return `
daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr notice;
events {}
http {
  access_log off; absolute_redirect off; default_type text/plain; sendfile on;
  ${paths}
  server { listen 127.0.0.1:${port}; ${locations}
  }
  server {
    listen 127.0.0.1:${tlsPort} ssl; listen 127.0.0.2:${tlsPort} ssl;
    ssl_certificate ${folder}/server.pem; ssl_certificate_key ${folder}/server.key; ${locations}
  }
}`;
}

/** nginx, serving a folder that {@linkcode makeCertificates} has been to. */
export async function nginx(folder: string): Promise<Nginx> {
  const [port, tlsPort] = [freePort(), freePort()];
  await Deno.writeTextFile(`${folder}/nginx.conf`, nginxConfig(folder, port, tlsPort));
  const child = new Deno.Command("nginx", {
    args: ["-p", folder, "-c", `${folder}/nginx.conf`],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream())
    .getReader();
  for (let line = ""; !line.includes("OS: "); line = (await lines.read()).value ?? "OS: ") {
    if (line.includes("[emerg]")) throw new Error(line);
  }
  const drained = (async () => {
    while (!(await lines.read()).done);
  })();
  return {
    origin: `http://127.0.0.1:${port}`,
    secure: `https://localhost:${tlsPort}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await drained;
    },
  };
}

/** Makes an authority (`ca.pem`) and a certificate of it for localhost (`server.pem`, `server.key`). */
export async function makeCertificates(folder: string): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const extensions = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
  await Deno.writeTextFile(`${folder}/ext`, extensions);
  for (
    const args of [
      [
        "req",
        "-x509",
        ...key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-days",
        "2",
        "-subj",
        "/CN=CA",
      ],
      ["req", "-new", ...key, "-keyout", "server.key", "-out", "csr", "-subj", "/CN=localhost"],
      [..."x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial".split(" "), "-days", "2"]
        .concat("-extfile", "ext", "-out", "server.pem"),
    ]
  ) {
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }
}
