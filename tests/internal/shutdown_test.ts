import { assertEquals } from "@std/assert";
import { Shutdown } from "../../_internal/shutdown.ts";

/** A server that notes what is asked of it, and is idle when told so. */
class Recorder {
  readonly calls: unknown[] = [];
  idle = false;
  readonly shutdown: Shutdown = new Shutdown({
    stopAccepting: () => void this.calls.push("stopAccepting"),
    drain: () => void this.calls.push("drain"),
    abort: (reason) => void this.calls.push(["abort", reason]),
    isIdle: () => this.idle,
    release: () => void this.calls.push("release"),
  });
}

Deno.test("a shutdown drains first, and releases when no handler runs", async () => {
  const server = new Recorder();
  const { shutdown, calls } = server;
  shutdown.finishIfIdle();
  server.idle = true;
  shutdown.finishIfIdle(); // it is serving: nothing finishes
  server.idle = false;
  shutdown.shutdown({ timeout: Infinity });
  shutdown.shutdown({ timeout: Infinity });
  shutdown.finishIfIdle();
  assertEquals([calls, shutdown.isStopping, shutdown.isAborted], [
    ["stopAccepting", "drain"],
    true,
    false,
  ]);
  server.idle = true;
  shutdown.finishIfIdle();
  await shutdown.finished;
  shutdown.abort(); // nothing is left
  await shutdown.shutdown({ timeout: 0 });
  assertEquals(calls, ["stopAccepting", "drain", "release"]);
});

Deno.test("a signal aborts at once, without draining, and only once", async () => {
  const server = new Recorder();
  const controller = new AbortController();
  server.shutdown.watch(controller.signal);
  controller.abort("why");
  server.shutdown.abort("again");
  server.shutdown.shutdown({ timeout: Infinity });
  assertEquals(server.calls, ["stopAccepting", ["abort", "why"]]);
  await server.shutdown.finished; // no handler ever ends: the grace does
  assertEquals(server.calls.at(-1), "release");
});

Deno.test("a signal that has aborted already aborts the server when it is watched", async () => {
  const server = new Recorder();
  server.idle = true;
  server.shutdown.watch(AbortSignal.abort("why"));
  await server.shutdown.finished;
  assertEquals(server.calls, ["stopAccepting", ["abort", "why"], "release"]);
});

Deno.test("an abort in the middle of draining comes from the timeout or from a signal", async () => {
  for (const how of ["timeout", "signal", "0"]) {
    const server = new Recorder();
    const controller = new AbortController();
    server.shutdown.watch(controller.signal);
    server.shutdown.shutdown({ timeout: how === "timeout" ? 1 : Infinity });
    if (how === "signal") controller.abort("why");
    if (how === "0") server.shutdown.shutdown({ timeout: 0 });
    await server.shutdown.finished;
    const reason = how === "signal" ? "why" : undefined;
    assertEquals(server.calls, ["stopAccepting", "drain", ["abort", reason], "release"]);
  }
});
