/** Each file of examples/minimal/, against nc, plain Deno or another of them. */
import { assertEquals, assertMatch } from "@std/assert";
import { inFolder, Shell, shell } from "../cli/_tincan.ts";
import { testWith } from "../_util/peers.ts";
import { portOf } from "../_util/transports.ts";
import { exampleArgs, runExample, startExample } from "./_run.ts";

const limit = { timeout: 60_000 };
const ncTest = testWith("nc");

const minimal = (name: string) => `minimal/${name}.ts`;

/** What comes back over one plain TCP connection. */
async function ask(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ port });
  await conn.write(new TextEncoder().encode(text));
  await conn.closeWrite();
  return await new Response(conn.readable).text();
}

ncTest("tcp_echo_server answers nc", limit, async () => {
  await using server = await startExample(minimal("tcp_echo_server"), []);
  const { stdout } = await shell('printf "hello\\n" | nc -N 127.0.0.1 "$1"', server.port);
  assertEquals(stdout, "hello\n");
});

Deno.test("tcp_client talks to upper_server, and both end", limit, async () => {
  await using server = await startExample(minimal("upper_server"), []);
  const args = ["--port", `${server.port}`];
  const { code, stdout, stderr } = await runExample(minimal("tcp_client"), args, "one\n\ntwo\n");
  assertEquals([code, stdout, stderr], [0, "ONE\nTWO\n", ""]);
  assertEquals(await ask(server.port, "one\nexit\ntwo\n"), "ONE\n");
});

Deno.test("udp_client asks udp_reply_server", limit, async () => {
  await using server = await startExample(minimal("udp_reply_server"), []);
  const args = ["--port", `${server.port}`, "hello", "there"];
  const { code, stdout } = await runExample(minimal("udp_client"), args);
  assertEquals([code, stdout], [0, "HELLO THERE\n"]);
});

Deno.test(
  "udp_chat sends what is typed, and shows what comes",
  limit,
  () =>
    inFolder(async (folder) => {
      const bob = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      const contacts = `${folder}/contacts.json`;
      await Deno.writeTextFile(contacts, JSON.stringify({ bob: `127.0.0.1:${portOf(bob)}` }));
      const command = [Deno.execPath(), ...exampleArgs(minimal("udp_chat"), ["ada", contacts])];
      await using ada = new Shell('exec "$@"', ...command);
      await ada.type("carol hello\nbob how are you?\n");
      const [data, from] = await bob.receive();
      assertEquals(new TextDecoder().decode(data), "how are you?");
      await ada.shows(/carol/);
      await bob.send(new TextEncoder().encode("fine"), from);
      await ada.shows(/^<bob> fine\n$/);
      await ada.endInput();
      assertEquals((await ada.end()).code, 0);
      bob.close();
    }),
);

Deno.test(
  "file_download gets a file from file_server, or says that there is none",
  limit,
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/served`);
      await Deno.writeTextFile(`${folder}/served/notes.txt`, "x".repeat(100_000));
      await using server = await startExample(minimal("file_server"), [`${folder}/served`]);
      const get = (name: string, output = "copy") => {
        const args = ["--port", `${server.port}`, "--output", `${folder}/${output}`, name];
        return runExample(minimal("file_download"), args);
      };
      const { code, stdout } = await get("notes.txt");
      assertEquals([code, stdout], [0, `${folder}/copy: 100000 bytes\n`]);
      assertEquals((await Deno.readTextFile(`${folder}/copy`)).length, 100_000);
      assertMatch((await get("nothing.txt", "other")).stderr, /nothing\.txt/);
    }),
);

Deno.test("web_page prints a page", limit, async () => {
  await using server = Deno.serve({ port: 0, onListen() {} }, () => new Response("a page"));
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const { code, stdout, stderr } = await runExample(minimal("web_page"), [url]);
  assertEquals([code, stdout], [0, "a page"]);
  assertMatch(stderr, /^HTTP\/1\.\d 200 OK\r?\n/);
});

Deno.test("port_scan finds an open port", limit, async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = ["127.0.0.1", "--ports", `1,${listener.addr.port}`];
  const { code, stdout } = await runExample(minimal("port_scan"), args);
  const lines = stdout.split("\n").map((line) => line.trim());
  assertEquals([code, ...lines], [
    0,
    `127.0.0.1 ${listener.addr.port}`,
    "1 closed, 0 filtered",
    "",
  ]);
});

Deno.test("framing tells messages apart", limit, async () => {
  const { code, stdout } = await runExample(minimal("framing"), []);
  assertEquals([code, stdout], [0, "one\ntwo\nthree\n"]);
});

Deno.test("handler_server greets each connection, and ends on Ctrl-C", limit, async () => {
  await using server = await startExample(minimal("handler_server"), []);
  assertEquals(await ask(server.port, "Ada\n"), "Hello, Ada!\n");
  assertEquals(await ask(server.port, ""), "Hello, stranger!\n");
  assertEquals(await server.stop("SIGINT"), 0);
});

ncTest("chat_room passes on what nc says", limit, async () => {
  await using server = await startExample(minimal("chat_room"), []);
  await using ada = new Shell('exec nc -N 127.0.0.1 "$1"', server.port);
  await using bob = new Shell('exec nc -N 127.0.0.1 "$1"', server.port);
  await ada.type("Ada\n");
  await bob.type("Bob\n");
  const [first, other] = await Promise.race([
    ada.shows(/Bob joined\n/).then(() => [ada, bob] as const),
    bob.shows(/Ada joined\n/).then(() => [bob, ada] as const),
  ]);
  await other.type("hello\n");
  await first.shows(/^<(?:Ada|Bob)> hello\n/m);
  await other.endInput();
  await first.shows(/^(?:Ada|Bob) left\n/m);
});
