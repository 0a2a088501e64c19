/** TLS with OpenSSL at the other end. */
import { assertEquals, assertMatch } from "@std/assert";
import { testWith } from "../_util/peers.ts";
import { Shell, shell, tincan } from "./_tincan.ts";

const opensslTest = testWith("openssl");

const limit = { timeout: 30_000 };
const S_SERVER = 'exec openssl s_server -accept 127.0.0.1:0 -cert "$CERT" -key "$KEY"';

opensslTest(
  "openssl s_client talks to tincan listen --tls, and checks its certificate",
  limit,
  async () => {
    await using server = new Shell('exec $TINCAN listen --tls --cert "$CERT" --key "$KEY"');
    const check = '-verify_return_error -verify_hostname localhost -CAfile "$CA"';
    const script = `exec openssl s_client -quiet ${check} -connect "127.0.0.1:$1" 2>&1`;
    await using client = new Shell(script, await server.port());
    await client.type("from s_client\n");
    await server.shows(/^from s_client\n/);
    await server.type("from tincan\n");
    await client.shows(/from tincan\n/);
    await server.endInput();
    await client.endInput();
    assertEquals([(await client.end()).code, (await server.end()).code], [0, 0]);
  },
);

opensslTest(
  "tincan connect --tls talks to openssl s_server, with --ca and with --insecure",
  limit,
  async () => {
    for (const trust of ['--ca "$CA"', '--ca "$CA" --server-name localhost', "--insecure"]) {
      await using server = new Shell(`${S_SERVER} -naccept 1`);
      const script = `exec $TINCAN connect --tls ${trust} 127.0.0.1 "$1"`;
      await using client = new Shell(script, await server.port());
      await client.type("from tincan\n");
      await server.shows(/^from tincan\n/m);
      await server.type("from s_server\n");
      await client.shows(/^from s_server\n/);
      await client.endInput();
      assertEquals((await client.end()).code, 0, trust);
    }
  },
);

opensslTest(
  "a certificate that is not trusted, or for another name, is refused",
  limit,
  async () => {
    await using server = new Shell(S_SERVER);
    const port = await server.port();
    const connect = (options: string) =>
      shell(`exec $TINCAN connect --tls ${options} 127.0.0.1 "$1"`, port);
    for (const options of ["", '--ca "$CA" --server-name example.com']) {
      const { code, stdout, stderr } = await connect(options);
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /^Cannot finish the TLS handshake with [^\n]+ certificate[^\n]+\n$/);
    }
  },
);

for (const trust of ['--ca "$CA"', "--insecure"]) {
  opensslTest(
    `connect --tls ${trust} shows its own certificate to a server that asks`,
    limit,
    async () => {
      await using server = new Shell(`${S_SERVER} -Verify 1 -CAfile "$CA" -verify_return_error`);
      const port = await server.port();
      const own = '--cert "$CERT" --key "$KEY"';
      const script = `exec $TINCAN connect --tls ${trust} ${own} localhost "$1"`;
      await using client = new Shell(script, port);
      await client.type("hello\n");
      await server.shows(/^hello\n/m);
      await server.shows(/depth=0 CN = localhost/);
      await client.endInput(); // s_server takes one client at a time
      await client.end();
      const { code } = await shell(`exec $TINCAN connect --tls ${trust} localhost "$1"`, port);
      assertEquals(code, 1); // without one it is sent away
    },
  );
}

Deno.test("a server without TLS is said to have none", limit, async () => {
  await using server = new Shell("echo SSH-2.0-plain | $TINCAN listen");
  const { code, stderr } = await tincan(["connect", "--tls", `${await server.port()}`]);
  assertEquals(code, 1);
  assertMatch(stderr, /^Cannot finish the TLS handshake with [^\n]+\n$/);
});
