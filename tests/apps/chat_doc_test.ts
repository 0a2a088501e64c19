/** The code in docs/chat.md does what the page says. */
import { bindUdpChat, joinChat, parseContacts, serveChat } from "../../apps/chat/mod.ts";
import { blockOf, readPage } from "../docs/_page.ts";
import { python, testWith } from "../_util/peers.ts";
import { assertEquals, assertStringIncludes } from "@std/assert";

const pythonTest = testWith("python3");

const page = await readPage("docs/chat.md");

pythonTest("the page's Python client is in the room", async () => {
  await using server = serveChat({ port: 0, onListen() {} });
  const { port } = server.addr;
  await using ada = await joinChat({ port, name: "Ada" });
  await using bob = python(blockOf(page, "client"), "127.0.0.1", port, "Bob");
  await bob.shows("*** Welcome, Bob!");
  await bob.type("h\u00e9llo\n");
  for await (const { line } of ada) if (line === "<Bob> h\u00e9llo") break;
  await ada.send("hi \u4f60\u597d");
  await bob.shows("<Ada> hi \u4f60\u597d\n");
  await bob.endInput();
  assertEquals(await bob.rest(), "");
  assertEquals((await bob.status).code, 0);
});

pythonTest("the page's Python peer talks by name", async () => {
  const host = `127.78.${(Deno.pid >> 8) & 255}.${Deno.pid & 255}`;
  await using li = python(`print("ready")\n${blockOf(page, "peer")}`, host, 9002);
  await li.line();
  const contacts = new Map([["\u674e\u96f7", { hostname: host, port: 9002 }]]);
  await using ada = await bindUdpChat({ name: "ada", contacts });
  // It may not be bound yet, and then nobody gets the first one.
  const asking = setInterval(() => ada.send("\u674e\u96f7", "\u4f60\u597d"), 20);
  assertEquals(await li.line(), "\u4f60\u597d");
  clearInterval(asking);
  await li.type("\u56de\u590d\n");
  for await (const { from, lines } of ada) {
    assertEquals([from, ...lines], ["\u674e\u96f7", "\u56de\u590d"]);
    break;
  }
});

Deno.test("the page's contacts can be read", () => {
  const contacts = parseContacts(blockOf(page, "contacts"));
  assertEquals([...contacts.keys()], ["ada", "\u674e\u96f7", "bob"]);
});

Deno.test("the page names every option with its default", async () => {
  const options = await Deno.readTextFile(
    new URL("../../apps/chat/room_options.ts", import.meta.url),
  );
  for (const [, name = ""] of options.matchAll(/^ {2}(max\w+)\?:/gm)) {
    assertStringIncludes(page.text, `\`${name}\``);
  }
});
