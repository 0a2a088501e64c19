/** What all servers have in common: TCP servers, UDP servers and sessions. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { bindUdp, ClosedError, connectTcp, serveTcp, serveUdp, sessions } from "../../mod.ts";
import type { ShutdownOptions } from "../../tcp/mod.ts";
import { captureErrors, Events, nextTurn } from "../_util/events.ts";

const limit = { timeout: 20_000 };

/** What is the same in the three of them. */
interface Served extends AsyncDisposable {
  readonly finished: Promise<void>;
  shutdown(options?: ShutdownOptions): Promise<void>;
  stats(): { readonly handlerErrors: number };
}

interface Hooks {
  onListen?: () => void | Promise<void>;
  onError?: (error: unknown) => void | Promise<void>;
}

/** Starts a server; its handler is called with the signal that says when to finish. */
type Start = (hooks: Hooks, handler: (signal: AbortSignal) => void | Promise<void>) => Promise<{
  server: Served;
  /** Has the handler called once. */
  visit(): Promise<void>;
  end(): Promise<void>;
}>;

const kinds: Record<string, Start> = {
  // deno-lint-ignore require-await -- as the others
  async serveTcp(hooks, handler) {
    const server = serveTcp({ onListen() {}, ...hooks }, ({ signal }) => handler(signal));
    const visitors: AsyncDisposable[] = [];
    return {
      server,
      async visit() {
        visitors.push(await connectTcp(server.addr));
      },
      async end() {
        for (const visitor of visitors) await visitor[Symbol.asyncDispose]();
      },
    };
  },
  async serveUdp(hooks, handler) {
    const server = await serveUdp({ onListen() {}, ...hooks }, (_, { signal }) => handler(signal));
    const client = await bindUdp();
    return { server, visit: () => client.send("x", server.addr), end: () => client.close() };
  },
  async sessions({ onError }, handler) {
    const endpoint = await bindUdp();
    const server = sessions(endpoint, { onError }, ({ signal }) => handler(signal));
    const client = await bindUdp();
    return {
      server,
      visit: () => client.send("x", endpoint.addr),
      async end() {
        await client.close();
        await endpoint.close();
      },
    };
  },
};

for (const [name, start] of Object.entries(kinds)) {
  Deno.test(`${name}: shutdown tells the handlers, and waits for them`, limit, async () => {
    const signals = new Events<AbortSignal>();
    const gate = Promise.withResolvers<void>();
    const { server, visit, end } = await start({}, async (signal) => {
      signals.push(signal);
      await gate.promise;
    });
    await visit();
    const signal = await signals.next();
    let isFinished = false;
    server.finished.then(() => isFinished = true);
    const stopping = server.shutdown();
    assert(signal.aborted && signal.reason instanceof ClosedError);
    await nextTurn();
    assertEquals(isFinished, false);
    gate.resolve();
    await stopping;
    await server.finished;
    await server.shutdown();
    await end();
  });

  Deno.test(`${name}: a later, longer shutdown lengthens nothing`, limit, async () => {
    const started = new Events<void>();
    const { server, visit, end } = await start({ onError() {} }, () => {
      started.push();
      return new Promise(() => {});
    });
    await visit();
    await started.next();
    const first = server.shutdown({ timeout: 20 });
    server.shutdown({ timeout: Infinity });
    server.shutdown();
    await first;
    await end();
  });

  Deno.test(`${name}: a later, shorter shutdown shortens the wait; 0 is now`, limit, async () => {
    const started = new Events<void>();
    const { server, visit, end } = await start({ onError() {} }, async (signal) => {
      started.push();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
    await visit();
    await started.next();
    const first = server.shutdown({ timeout: Infinity });
    await server.shutdown({ timeout: 0 });
    await first;
    await end();
  });

  Deno.test(`${name}: shutdown checks its options`, limit, async () => {
    const { server, end } = await start({}, () => {});
    const wrong: [unknown, typeof TypeError | typeof RangeError, string][] = [
      [{ timeout: -1 }, RangeError, "current value is -1"],
      [{ timeout: "1" }, TypeError, 'current value is "1"'],
      [{ timeOut: 1 }, TypeError, 'did you mean "timeout"?'],
      [1_000, TypeError, "as an object"],
    ];
    for (const [options, Class, message] of wrong) {
      const call = async () => await server.shutdown(options as ShutdownOptions);
      await assertRejects(call, Class, message);
    }
    await server.shutdown({ timeout: undefined });
    await end();
  });

  for (
    const [how, fail] of [
      ["rejects", () => Promise.reject(new Error("from the hook"))],
      ["throws", () => {
        throw new Error("from the hook");
      }],
    ] as const
  ) {
    Deno.test(`${name}: an onError that ${how} ends nothing`, limit, async () => {
      const printed = await captureErrors(async () => {
        const { server, visit, end } = await start({ onError: fail }, () => {
          throw new Error("from the handler");
        });
        await visit();
        while (server.stats().handlerErrors < 1) await nextTurn();
        await server.shutdown();
        await end();
      });
      assertEquals(printed.length, 1);
      assertStringIncludes(String(printed[0]), "from the hook");
    });
  }

  Deno.test(`${name}: an onListen that rejects ends nothing`, limit, async () => {
    if (name === "sessions") return; // they have none
    const errors = new Events<unknown>();
    const onListen = () => Promise.reject(new Error("from the hook"));
    const { server, end } = await start({ onListen, onError: errors.push }, () => {});
    assertEquals((await errors.next() as Error).message, "from the hook");
    await server.shutdown();
    await end();
  });

  Deno.test(`${name}: expected errors are not printed, mistakes are`, limit, async () => {
    const errors = [
      new Deno.errors.ConnectionReset("reset"),
      new Deno.errors.BrokenPipe("gone"),
      new Deno.errors.TimedOut("late"),
      new ClosedError("closed", "closed", { operation: "read", transport: "tcp" }),
      new Error("a mistake"),
    ];
    const printed = await captureErrors(async () => {
      for (const error of errors) {
        const { server, visit, end } = await start({}, () => Promise.reject(error));
        await visit();
        while (server.stats().handlerErrors < 1) await nextTurn();
        await server.shutdown();
        await end();
      }
    });
    assertEquals(printed.length, 1);
    assertStringIncludes(String(printed[0]), "a mistake");
  });
}
