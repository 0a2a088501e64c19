/** Requests: no answer is ever taken for another request's, and nothing else is swallowed. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { bindUdp, connectUdp, type Datagram, serveUdp, type UdpEndpoint } from "../../udp/mod.ts";
import { testWith } from "../_util/peers.ts";
import { at, backends, bytes, limit, python, quiet, text } from "./_util.ts";

const pythonTest = testWith("python3");

/** Answers each question with itself, `copies` times. */
async function echo(endpoint: UdpEndpoint, copies: number): Promise<void> {
  for await (const datagram of endpoint) {
    for (let i = 0; i < copies; i++) await datagram.reply(datagram.data);
  }
}

for (const backend of backends) {
  const test = (name: string, body: () => Promise<void>) =>
    pythonTest(`${backend}: request: ${name}`, limit, body);

  test("without match, a doubled answer is not the next request's", async () => {
    await using server = await bindUdp({ backend });
    const serving = echo(server, 2);
    await using client = await bindUdp({ backend });
    await using peer = await connectUdp({ backend, port: at(server).port });
    for (let i = 0; i < 200; i++) {
      assertEquals(text((await client.request(`${i}`, at(server))).data), `${i}`);
      assertEquals(text((await peer.request(`peer ${i}`)).data), `peer ${i}`);
    }
    await assertRejects(() => client.receive({ timeout: 0 }), Deno.errors.TimedOut);
    await server.close();
    await serving;
  });

  test("without match, many at once get their own answers in any order", async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend, maxRequestSockets: 8 });
    const asking = Array.from({ length: 40 }, (_, i) => client.request(`${i}`, at(server)));
    assertEquals(client.stats().requests, 40);
    for (let turn = 0; turn < 5; turn++) {
      const questions: Datagram[] = [];
      for (let i = 0; i < 8; i++) questions.push(await server.receive());
      for (const question of questions.reverse()) await question.reply(question.data);
    }
    const answers = await Promise.all(asking);
    assertEquals(answers.map(({ data }) => text(data)), answers.map((_, i) => `${i}`));
  });

  test("what waits for a socket can be given up, and ends with the endpoint", async () => {
    await using server = await bindUdp({ backend });
    const client = await bindUdp({ backend, maxRequestSockets: 1 });
    const first = assertRejects(() => client.request("1", at(server)), Error, "closed here");
    await server.receive();
    const controller = new AbortController();
    const second = client.request("2", at(server), { signal: controller.signal });
    const given = assertRejects(() => second, Error, "never mind");
    controller.abort(new Error("never mind"));
    await given;
    const third = assertRejects(() => client.request("3", at(server)), Error, "closed here");
    await client.close();
    await Promise.all([first, third]);
  });

  test("an answer that comes after the time-out is no other request's", async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    const asking = client.request("1", at(server), { timeout: 5, retries: 0 });
    const first = assertRejects(() => asking, Deno.errors.TimedOut);
    const late = await server.receive();
    await first;
    const second = client.request("2", at(server), { timeout: 10_000 });
    const question = await server.receive();
    await late.reply("late");
    await question.reply("in time");
    assertEquals(text((await second).data), "in time");
  });

  test("one that was not answered swallows nothing of its peer's", async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    for (const samePort of [false, true]) {
      const asking = client.request("?", at(server), { timeout: 5, retries: 2, samePort });
      await assertRejects(() => asking, Deno.errors.TimedOut);
      for (const word of ["one", "two", "three"]) await server.send(word, at(client));
      for (const word of ["one", "two", "three"]) {
        assertEquals(text((await client.receive()).data), word);
      }
    }
  });

  test("one that was never sent swallows nothing", async () => {
    await using other = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    const broadcast = { hostname: "255.255.255.255", port: at(other).port };
    await assertRejects(
      () => client.request("?", broadcast, { match: () => true }),
      Deno.errors.PermissionDenied,
    );
    await other.send("news", at(client));
    assertEquals(text((await client.receive()).data), "news");
    assertEquals(client.stats().lateAnswers, 0);
  });

  test("what comes to its socket after the answer is received", async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    const asking = client.request("hello", at(server), { timeout: 10_000 });
    const question = await server.receive();
    await question.reply("welcome");
    const answer = await asking;
    await question.reply("welcome"); // a copy
    await question.reply("and hello");
    const more = await client.receive();
    assertEquals([text(answer.data), text(more.data)], ["welcome", "and hello"]);
    assertEquals(client.stats().lateAnswers, 1);
    await more.reply("thanks"); // from the port that asked
    const thanks = await server.receive();
    assertEquals([text(thanks.data), thanks.from], ["thanks", question.from]);
  });

  test("a stranger cannot answer on its socket", async () => {
    await using server = await bindUdp({ backend });
    await using stranger = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    const asking = client.request("?", at(server), { timeout: 10_000 });
    const question = await server.receive();
    await stranger.send("forged", question.from);
    await question.reply("real");
    assertEquals(text((await asking).data), "real");
    assertEquals(client.stats().strangers, 1);
  });

  test("equal answers of all members of a group arrive", async () => {
    const group = "239.255.77.7";
    await using first = await bindUdp({ backend, hostname: "0.0.0.0", reuseAddress: true });
    const { port } = at(first);
    await using second = await bindUdp({ backend, hostname: "0.0.0.0", port, reuseAddress: true });
    // Members on one machine share the port, so each answers from one of its own.
    await using firstVoice = await bindUdp({ backend });
    await using secondVoice = await bindUdp({ backend });
    for (const member of [first, second]) {
      await member.joinMulticast(group, { interface: "127.0.0.1" });
    }
    await using client = await bindUdp({ backend });
    for (const match of [undefined, (data: Uint8Array) => data[0] === 0x68]) {
      const asking = client.request("who?", { hostname: group, port }, {
        timeout: 10_000,
        ...match === undefined ? {} : { match },
      });
      for (const [member, voice] of [[first, firstVoice], [second, secondVoice]] as const) {
        const { from } = await member.receive();
        await voice.send("here", from);
      }
      const answers = [await asking, await client.receive()].map(({ data, from }) =>
        `${text(data)} ${from.port}`
      );
      const expected = [firstVoice, secondVoice].map((voice) => `here ${at(voice).port}`);
      assertEquals(answers.sort(), expected.sort());
    }
  });

  test("what was set for groups holds for its socket too", async () => {
    const group = "239.255.77.8";
    await using member = python(
      `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(sys.argv[1]) + socket.inet_aton("127.0.0.1"))
s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
print(s.getsockname()[1], flush=True)
while True:
    data, ancillary, flags, addr = s.recvmsg(100, 100)
    s.sendto(str(struct.unpack("i", ancillary[0][2])[0]).encode(), addr)
`,
      group,
    );
    const to = { hostname: group, port: Number(await member.line()) };
    await using client = await bindUdp({ backend });
    assertEquals(text((await client.request("?", to)).data), "1");
    const own = await client.joinMulticast("239.255.77.9", { interface: "127.0.0.1", ttl: 7 });
    assertEquals(text((await client.request("?", to)).data), "7");
    await own.setTtl(9);
    assertEquals(text((await client.request("?", to)).data), "9");
  });

  test("constant answers are not slower after a loss", async () => {
    let seen = 0;
    await using server = await serveUdp(
      { ...quiet, backend },
      () => ++seen % 3 === 0 ? undefined : "ok",
    );
    await using client = await bindUdp({ backend });
    for (let i = 0; i < 30; i++) {
      await client.request("?", at(server), { timeout: 20, retries: 10 });
    }
    // One in three was lost: none but those was asked for again.
    const { retransmits } = client.stats();
    assert(retransmits < 30, `asked again ${retransmits} times`);
  });

  test("a match that is asynchronous is refused", async () => {
    await using server = await serveUdp({ ...quiet, backend }, ({ data }) => data);
    await using client = await bindUdp({ backend });
    const match = (() => Promise.reject(new Error("thrown"))) as unknown as () => boolean;
    await assertRejects(() => client.request("?", at(server), { match }), TypeError, "match");
  });

  test("to all addresses of this machine, and to a group, by connectUdp", async () => {
    for (const [hostname, serving] of [["0.0.0.0", "127.0.0.1"], ["::", "::1"]] as const) {
      await using server = await serveUdp({ ...quiet, backend, hostname: serving }, () => "here");
      await using peer = await connectUdp({ backend, hostname, port: at(server).port });
      assertEquals(peer.remoteAddr.hostname, serving);
      assertEquals(text((await peer.request("?")).data), "here");
      assertEquals(text((await peer.request("?", { samePort: true })).data), "here");
    }
    await using server = await serveUdp({ ...quiet, backend, hostname: "127.0.0.1" }, () => "here");
    await using endpoint = await bindUdp({ backend });
    const unspecified = { hostname: "0.0.0.0", port: at(server).port };
    assertEquals(text((await endpoint.request("?", unspecified)).data), "here");
    const group = "239.255.77.10";
    await using member = await serveUdp({ ...quiet, backend, hostname: "0.0.0.0" }, () => "member");
    await member.endpoint.joinMulticast(group, { interface: "127.0.0.1" });
    await using all = await connectUdp({
      backend,
      hostname: group,
      port: at(member).port,
      localHostname: "127.0.0.1",
    });
    assertEquals(text((await all.request("?")).data), "member");
    assertEquals(text((await all.request("?", { samePort: true })).data), "member");
  });

  test("an empty hostname is named", async () => {
    await using endpoint = await bindUdp({ backend });
    for (
      const failing of [
        () => bindUdp({ backend, hostname: "" }),
        () => connectUdp({ backend, hostname: "", port: 9 }),
        () => endpoint.send("x", { hostname: "", port: 9 }),
        () => endpoint.request("x", { hostname: "", port: 9 }),
      ]
    ) await assertRejects(failing, RangeError, "hostname");
  });

  test("the bytes are those of the call, although the buffer is used again", async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    const buffer = bytes("first");
    const asking = client.request(buffer, at(server), { retries: 0, timeout: 10_000 });
    buffer.fill(0);
    const question = await server.receive();
    assertEquals(text(question.data), "first");
    await question.reply("");
    await asking;
  });
}
