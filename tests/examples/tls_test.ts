/** `--tls` of the chat room and of the files, with OpenSSL and with each other. */
import { assertEquals, assertMatch } from "@std/assert";
import { inFolder, Shell, shell } from "../cli/_tincan.ts";
import { testWith } from "../_util/peers.ts";

const limit = { timeout: 60_000 };
const opensslTest = testWith("openssl");
const SERVE_TLS = '--tls --cert "$CERT" --key "$KEY"';

opensslTest("openssl s_client and tincan chat join meet in a room over TLS", limit, async () => {
  await using server = new Shell(`exec $TINCAN chat ${SERVE_TLS} --port 0`);
  const port = await server.port();
  const check = '-verify_return_error -verify_hostname localhost -CAfile "$CA"';
  const script = `exec openssl s_client -quiet ${check} -connect "127.0.0.1:$1" 2>/dev/null`;
  await using bob = new Shell(script, port);
  await bob.type("Bob\n");
  await bob.shows(/Welcome, Bob!/);
  await using ada = new Shell(
    'exec $TINCAN chat join "localhost:$1" --name Ada --tls --ca "$CA"',
    port,
  );
  await bob.shows(/Ada/);
  await ada.type("hello\n");
  await bob.shows(/<Ada> hello/);
  await bob.type("hi\n");
  await ada.shows(/<Bob> hi/);
  await ada.endInput();
  assertEquals((await ada.end()).code, 0);
});

Deno.test(
  "tincan files lists and gets over TLS, and checks the certificate",
  limit,
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/served`);
      await Deno.writeTextFile(`${folder}/served/notes.txt`, "notes");
      await using server = new Shell(
        `exec $TINCAN files serve "$1/served" --hostname 127.0.0.1:0 ${SERVE_TLS}`,
        folder,
      );
      const port = await server.port();
      const files = (args: string) =>
        shell(`cd "$2"; exec $TINCAN files ${args} --hostname "localhost:$1"`, port, folder);
      for (const trust of ['--ca "$CA"', '--ca "$CA" --server-name localhost', "--insecure"]) {
        const { code, stdout, stderr } = await files(`list --tls ${trust}`);
        assertEquals([code, stderr], [0, ""], trust);
        assertMatch(stdout, /notes\.txt/);
      }
      assertEquals((await files('get notes.txt --quiet --tls --ca "$CA"')).code, 0);
      assertEquals(await Deno.readTextFile(`${folder}/notes.txt`), "notes");
      const refused = await files("list --tls");
      assertEquals([refused.code, refused.stdout], [1, ""]);
      assertMatch(refused.stderr, /^Cannot [^\n]*certificate[^\n]*\n$/);
    }),
);
