/** Datagrams, with nc and socat at the other end. */
import { assertEquals, assertMatch } from "@std/assert";
import { bindUdp } from "../../mod.ts";
import { testWith } from "../_util/peers.ts";
import { Shell, tincan } from "./_tincan.ts";

const ncTest = testWith("nc");
const socatTest = testWith("socat");

const limit = { timeout: 30_000 };

ncTest("nc -u talks to tincan listen --udp", limit, async () => {
  await using server = new Shell("exec $TINCAN listen --udp");
  await using client = new Shell('exec nc -u 127.0.0.1 "$1"', await server.port());
  await client.type("ping\n");
  await server.shows(/^ping\n$/);
  await server.type("pong\n");
  await client.shows(/^pong\n$/);
  server.kill("SIGINT"); // without --keep-open that is work interrupted
  assertEquals((await server.end()).code, 130);
});

socatTest(
  "tincan connect --udp talks to socat, and ends in the silence after its input",
  limit,
  async () => {
    const free = await bindUdp();
    const { port } = free.addr;
    await free.close();
    await using server = new Shell(
      'exec socat -d -d "UDP-RECVFROM:$1,bind=127.0.0.1" EXEC:rev',
      port,
    );
    await server.shows(/receiving on/);
    const { code, stdout, stderr } = await tincan(["connect", "--udp", `${port}`], "abc\n");
    assertEquals([code, stdout, stderr], [0, "cba\n", ""]);
  },
);

Deno.test(
  "listen --udp listens to the first peer only, with --keep-open to all",
  limit,
  async () => {
    await using endpoint = await bindUdp();
    await using stranger = await bindUdp();
    for (const [options, expected] of [["", "one two "], ["--keep-open", "one HELLO two "]]) {
      await using server = new Shell(`exec $TINCAN listen --udp ${options}`);
      const to = { port: await server.port() };
      await endpoint.send("one ", to);
      await server.shows(/one /);
      await stranger.send("HELLO ", to);
      if (options !== "") await server.shows(/HELLO /);
      await endpoint.send("two ", to);
      await server.shows(/two /);
      assertEquals(server.stdout, expected);
      await server.type("answer");
      assertEquals((await endpoint.receive()).data.length, 6);
      if (options !== "") assertEquals((await stranger.receive()).data.length, 6);
    }
  },
);

Deno.test("--udp --framing lines sends each line as a datagram", limit, async () => {
  await using endpoint = await bindUdp();
  const { port } = endpoint.addr;
  const args = ["connect", "--udp", "--framing", "lines", "-w", "0.5", `${port}`];
  const running = tincan(args, "one\n\ntwo");
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    const datagram = await endpoint.receive();
    seen.push(new TextDecoder().decode(datagram.data));
    await datagram.reply(`re: ${seen.at(-1)}`);
  }
  assertEquals(seen, ["one", "", "two"]);
  const { code, stdout } = await running;
  assertEquals([code, stdout], [0, "re: one\nre: \nre: two\n"]);
});

Deno.test("--udp --hex and --json show datagrams", limit, async () => {
  await using endpoint = await bindUdp();
  const { port } = endpoint.addr;
  const talk = async (option: string) => {
    const running = tincan(["connect", "--udp", option, "-w", "0.5", `${port}`], "ask");
    await (await endpoint.receive()).reply("tell");
    return await running;
  };
  const hex = await talk("--hex");
  assertEquals(hex.stdout, "tell");
  assertMatch(hex.stderr, /> 3 bytes\n {2}00000000 {2}61 73 6b .*\n.*< 4 bytes\n.*\|tell\|/);
  const events = (await talk("--json")).stdout.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(events.map(({ type }) => type), ["open", "data", "data", "close"]);
});
