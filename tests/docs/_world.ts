/**
 * A network of its own for what the pages run: all ports are free, nothing leaves the machine, and
 * `example.com` is a web server here.
 */
import { Peer } from "../_util/peers.ts";
import { assertEquals } from "@std/assert";

/** The web server of example.com, over http and https. */
const WEB = `
import http.server, ssl, sys, threading
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"<title>Example Domain</title>\\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
    do_HEAD = do_GET
    def log_message(self, *args):
        pass
class Secure(http.server.ThreadingHTTPServer):
    def shutdown_request(self, request):
        try:
            request.unwrap()
        except OSError:
            pass
        super().shutdown_request(request)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
plain = http.server.ThreadingHTTPServer(("127.0.0.2", 80), Page)
secure = Secure(("127.0.0.2", 443), Page)
secure.socket = context.wrap_socket(secure.socket, server_side=True)
threading.Thread(target=plain.serve_forever, daemon=True).start()
print("ready", flush=True)
secure.serve_forever()
`;

/** Makes an authority, and a certificate of it for example.com. */
const CERTIFICATES = `
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=tincan test' \\
  -keyout authority.key -out authority.pem
openssl req -newkey rsa:2048 -nodes -subj '/CN=example.com' -keyout key.pem -out request.pem
echo 'subjectAltName=DNS:example.com' > names
openssl x509 -req -in request.pem -CA authority.pem -CAkey authority.key -CAcreateserial \\
  -days 2 -extfile names -out cert.pem
`;

/** What such a network takes. */
export const WORLD_PEERS = ["network", "openssl", "python3"] as const;

/** Such a network. It ends with the process that holds it. */
export class World implements AsyncDisposable {
  /** What to put before a command, so that it runs there. */
  readonly enter: readonly string[];
  /** The file with the authority that vouches for example.com. */
  readonly authority: string;
  readonly #holder: Peer;
  readonly #web: Peer;

  private constructor(enter: readonly string[], authority: string, holder: Peer, web: Peer) {
    this.enter = enter;
    this.authority = authority;
    this.#holder = holder;
    this.#web = web;
  }

  /** Makes one; its files go into a new folder. */
  static async make(folder: string): Promise<World> {
    await Deno.mkdir(folder);
    const certificates = await new Deno.Command("sh", {
      args: ["-euc", CERTIFICATES],
      cwd: folder,
      stderr: "null",
    }).output();
    assertEquals(certificates.code, 0, "openssl makes no certificates");
    await Deno.writeTextFile(
      `${folder}/hosts`,
      "127.0.0.1 localhost\n::1 localhost\n127.0.0.2 example.com\n",
    );
    const hold = 'ip link set lo up && mount --bind "$0" /etc/hosts && echo $$ && exec cat';
    const holder = new Peer("unshare", [
      ...["--net", "--mount", "sh", "-euc", hold, `${folder}/hosts`],
    ]);
    const enter = ["nsenter", "--target", await holder.line(), "--net", "--mount"];
    const [command = "", ...args] = [...enter, "python3", "-c", WEB];
    const web = new Peer(command, [...args, `${folder}/cert.pem`, `${folder}/key.pem`]);
    assertEquals(await web.line(), "ready");
    return new World(enter, `${folder}/authority.pem`, holder, web);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#web[Symbol.asyncDispose]();
    await this.#holder[Symbol.asyncDispose]();
  }
}
