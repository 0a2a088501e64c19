/** The code of docs/quic.md works as it stands there. */
import { assertEquals } from "@std/assert";
import { blockOf, readPage } from "../docs/_page.ts";
import { freePort } from "../_util/ports.ts";
import { limit, Peer, text } from "./_util.ts";

Deno.test("docs/quic.md: the server and the client talk", limit, async () => {
  const page = await readPage("docs/quic.md");
  const folder = await Deno.makeTempDir();
  try {
    const certificates = new URL("../_util/tls/", import.meta.url);
    for (const name of ["localhost.pem", "localhost.key", "ca.pem"]) {
      await Deno.copyFile(new URL(name, certificates), `${folder}/${name}`);
    }
    await Deno.writeTextFile(
      `${folder}/server.ts`,
      blockOf(page, "server").replace("while (true)", 'console.log("ready");\nwhile (true)'),
    );
    await Deno.writeTextFile(`${folder}/client.ts`, blockOf(page, "client"));
    const flags = ["run", "--no-config", "--no-lock", "--check", "-A", "--unstable-net"];
    // The port of the page may be taken where the tests run, so it is replaced too.
    const port = `${freePort()}`;
    for (const name of ["server.ts", "client.ts"]) {
      const code = await Deno.readTextFile(`${folder}/${name}`);
      await Deno.writeTextFile(
        `${folder}/${name}`,
        code.replace("4433", port).replaceAll(/readTextFile\("/g, `readTextFile("${folder}/`),
      );
    }
    await using serving = new Peer(Deno.execPath(), [...flags, `${folder}/server.ts`]);
    assertEquals(await serving.line(), "ready");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...flags, `${folder}/client.ts`],
    }).output();
    assertEquals([code, text(stdout)], [0, "hello\n"], text(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
