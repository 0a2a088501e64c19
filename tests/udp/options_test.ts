/** Options: misspelt, misplaced and contradictory ones, and what 0 and `Infinity` mean. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  bindUdp,
  connectUdp,
  type Datagram,
  formatAddr,
  type UdpBindOptions,
  type UdpEndpoint,
  type UdpPeer,
  type UnixDatagramOptions,
} from "../../udp/mod.ts";
import { backends, bytes, limit } from "./_util.ts";

Deno.test("an option that does not exist is named, and the right one", limit, async () => {
  await using endpoint = await bindUdp();
  await using peer = await connectUdp({ port: 9 });
  const { addr } = endpoint;
  const wrong: [() => Promise<unknown>, string][] = [
    [() => bindUdp({ host: "0.0.0.0" } as UdpBindOptions), 'bindUdp: did you mean "hostname"?'],
    [() => bindUdp({ maxQeue: 1 } as UdpBindOptions), 'did you mean "maxQueue"?'],
    [() => bindUdp(9 as UdpBindOptions), "the options of bindUdp as an object"],
    [() => connectUdp({ port: 9, localAddress: "::1" } as never), "localAddress"],
    [() => connectUdp({ port: 9, retries: 3 } as never), '"retries" of connectUdp'],
    [() => endpoint.receive({ timeOut: 1 } as never), 'receive: did you mean "timeout"?'],
    [() => peer.receive(5 as never), "the options of receive as an object"],
    [() => endpoint.request("?", addr, { retry: 1 } as never), '"retry" of request'],
    [() => peer.request("?", (() => true) as never), "the options of request as an object"],
    [() => endpoint.joinMulticast("239.1.2.3", { tll: 1 } as never), 'did you mean "ttl"?'],
    [() => endpoint.send("x", { host: "10.0.0.1", port: 9 } as never), 'did you mean "hostname"?'],
  ];
  for (const [call, message] of wrong) await assertRejects(call, TypeError, message);
});

Deno.test("a path goes with nothing that only a port has", limit, async () => {
  const path = "/tmp/none";
  const others = { port: 0, hostname: "::1", reuseAddress: true, broadcast: true };
  for (const [name, value] of Object.entries(others)) {
    const options = { path, [name]: value } as unknown as UnixDatagramOptions;
    const message = `Cannot use option "${name}" together with "path"`;
    await assertRejects(() => bindUdp(options), TypeError, message);
  }
  // @ts-expect-error: the compiler says so, too
  await assertRejects(() => bindUdp({ path, port: 0 }), TypeError);
  // @ts-expect-error: connectUdp has no path
  await assertRejects(() => connectUdp({ path }), TypeError, '"path" of connectUdp');
  await assertRejects(() => bindUdp({ path: "" }), RangeError, 'option "path"');
});

Deno.test("what is out of range is named with its value", limit, async () => {
  const wrong: [() => Promise<unknown>, string][] = [
    [
      () => bindUdp({ port: 70_000 }),
      '"port" as a whole number from 0 to 65535: current value is 70000',
    ],
    [
      () => bindUdp({ maxDatagramSize: 70_000 }),
      '"maxDatagramSize" as a whole number from 1 to 65527',
    ],
    [() => connectUdp({ port: 0 }), '"port" as a whole number from 1 to 65535: current value is 0'],
    [() => connectUdp({ port: 9, localPort: -1 }), '"localPort"'],
    [() => connectUdp({ port: 9, localHostname: "" }), '"localHostname"'],
  ];
  for (const [call, message] of wrong) await assertRejects(call, RangeError, message);
});

/** Keeps the only thread busy. */
function compute(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

for (const backend of backends) {
  Deno.test(`${backend}: a request that may take no time is sent once`, limit, async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    for (const how of [{}, { samePort: true }, { match: () => true }, { maxTimeout: 0 }]) {
      const options = { timeout: 0, ...how, ...("maxTimeout" in how ? { timeout: 5_000 } : {}) };
      const asking = client.request("?", server.addr, { ...options, retries: 9 });
      await assertRejects(() => asking, Deno.errors.TimedOut, "no answer to 1 try over 0 ms");
      assertEquals((await server.receive()).text(), "?");
    }
    await assertRejects(() => server.receive({ timeout: 0 }), Deno.errors.TimedOut);
    assertEquals(client.stats().retransmits, 0);
    assertEquals(client.stats().requests, 0);
  });

  Deno.test(`${backend}: what has arrived in time is received, however busy`, limit, async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    for (let i = 0; i < 20; i++) {
      await client.send(`${i}`, server.addr); // and now the system has it, on loopback
      assertEquals((await server.receive({ timeout: 0 })).text(), `${i}`);
      await client.send("more", server.addr);
      const receiving = server.receive({ timeout: 1 });
      compute(20);
      assertEquals((await receiving).text(), "more");
    }
    await assertRejects(() => server.receive({ timeout: 0 }), Deno.errors.TimedOut);
  });

  Deno.test(`${backend}: an answer that came in time is taken, however busy`, limit, async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    for (const match of [undefined, () => true]) {
      const asking = client.request("?", server.addr, { match, timeout: 100, retries: 0 });
      const question = await server.receive();
      await question.reply("!");
      compute(150);
      assertEquals((await asking).text(), "!");
    }
  });

  Deno.test(`${backend}: a request without a limit of time is sent once`, limit, async () => {
    await using server = await bindUdp({ backend });
    await using client = await bindUdp({ backend });
    for (const samePort of [false, true]) {
      const asking = client.request("?", server.addr, { timeout: Infinity, samePort });
      const question = await server.receive({ timeout: Infinity });
      await question.reply("!");
      assertEquals((await asking).text(), "!");
    }
    assertEquals(client.stats().retransmits, 0);
  });

  Deno.test(`${backend}: addresses are typed, and print as one line`, limit, async () => {
    await using server: UdpEndpoint<Deno.NetAddr> = await bindUdp({ backend });
    const { hostname, port } = server.addr;
    await using peer: UdpPeer<Deno.NetAddr> = await connectUdp({ backend, port });
    await peer.send("hi");
    const datagram: Datagram<Deno.NetAddr> = await server.receive();
    assertEquals(datagram.from.port, peer.localAddr.port);
    assertEquals(datagram.from, { transport: "udp", hostname, port: peer.addr.port });
    const shown = [server.addr, peer.remoteAddr, datagram.from].map((addr) => `${addr}`);
    assertEquals(shown, [`127.0.0.1:${port}`, `127.0.0.1:${port}`, formatAddr(peer.addr)]);
    assertEquals(Deno.inspect({ from: datagram.from }), `{ from: 127.0.0.1:${peer.addr.port} }`);
    const any: UdpEndpoint = server; // where the kind of address does not matter
    assertEquals(any.addr, server.addr);
  });

  Deno.test(`${backend}: text() reads UTF-8, and marks what is none`, limit, async () => {
    await using server = await bindUdp({ backend });
    await using peer = await connectUdp({ backend, port: server.addr.port });
    for (
      const [data, text] of [
        [bytes("Grüße 😀"), "Grüße 😀"],
        [bytes(""), ""],
        [bytes("\ufeffx"), "\ufeffx"],
        [new Uint8Array([0x61, 0xff, 0x62]), "a\ufffdb"],
        [new Uint8Array([0xe2, 0x82]), "\ufffd"],
      ] as const
    ) {
      await peer.send(data);
      assertEquals((await server.receive()).text(), text);
    }
  });
}
