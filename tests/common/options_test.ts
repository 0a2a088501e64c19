import { assertEquals, assertThrows } from "@std/assert";
import {
  checkCount,
  checkExcluded,
  checkHandler,
  checkOneOf,
  checkOptions,
  checkTimeout,
  type OptionNames,
} from "../../common/options.ts";

interface Options {
  hostname?: string;
  path?: string;
  tls?: object;
  limits?: { maxConnections?: number; maxQueue?: number };
  timeouts?: { idle?: number };
}

const NAMES: OptionNames<Options> = {
  hostname: true,
  path: true,
  tls: true,
  limits: { maxConnections: true, maxQueue: true },
  timeouts: { idle: true },
};

for (
  const [given, message] of [
    [{ idel: 1 }, 'option "idel" of serve: did you mean "timeouts.idle"?'],
    [{ host: "::" }, 'option "host" of serve: did you mean "hostname"?'],
    [
      { maxConnections: 1 },
      'option "maxConnections" of serve: did you mean "limits.maxConnections"?',
    ],
    [{ limits: { idle: 1 } }, 'option "limits.idle" of serve: did you mean "timeouts.idle"?'],
    [
      { limits: { maxQeue: 1 } },
      'option "limits.maxQeue" of serve: did you mean "limits.maxQueue"?',
    ],
    [{ colour: "red" }, 'option "colour" of serve: there is no such option'],
    [{ toString: 1 }, 'option "toString" of serve: there is no such option'],
    [{ limits: 5 }, 'option "limits" as an object: current value is 5'],
    [{ limits: null }, 'option "limits" as an object: current value is null'],
    ["9999", 'the options of serve as an object: current value is "9999"'],
    [function handle() {}, "current value is the function handle; options come before the handler"],
  ] as const
) {
  Deno.test(`checkOptions: ${message}`, () => {
    assertThrows(() => checkOptions("serve", given, NAMES), TypeError, message);
  });
}

Deno.test("checkOptions takes what there is, and options that are undefined", () => {
  checkOptions("serve", undefined, NAMES);
  checkOptions(
    "serve",
    { hostname: "::", limits: { maxQueue: undefined }, timeouts: undefined },
    NAMES,
  );
});

Deno.test("checkExcluded refuses what cannot go together", () => {
  const options: Options = { path: "/tmp/socket", tls: {} };
  assertThrows(
    () => checkExcluded(options, "path", ["hostname", "tls"]),
    TypeError,
    'Cannot use option "tls" together with "path": current value is an object',
  );
  checkExcluded({ tls: {} } as Options, "path", ["tls"]);
});

Deno.test("checkHandler says where the handler belongs", () => {
  checkHandler("serve", () => {});
  const wrong = "Cannot use the handler of serve as a function: current value is";
  assertThrows(() => checkHandler("serve", undefined), TypeError, `${wrong} undefined`);
  assertThrows(
    () => checkHandler("serve", { port: 1 }),
    TypeError,
    `${wrong} an object; the handler comes after the options`,
  );
});

Deno.test("0 is now, Infinity is without limit", () => {
  assertEquals([0, 1.5, Infinity].map((value) => checkTimeout("timeout", value)), [
    0,
    1.5,
    Infinity,
  ]);
  assertEquals([0, 7, Infinity].map((value) => checkCount("maxQueue", value)), [0, 7, Infinity]);
});

Deno.test("numbers out of range are RangeErrors, other values TypeErrors; both show the value", () => {
  const time = 'Cannot use option "timeout" as milliseconds from 0: current value is';
  for (const value of [-1, NaN]) {
    assertThrows(() => checkTimeout("timeout", value), RangeError, `${time} ${value}`);
  }
  for (const value of ["5", null, undefined, 5n]) {
    assertThrows(() => checkTimeout("timeout", value), TypeError, time);
  }
  const count = 'Cannot use option "size" as a whole number from 1 to 8: current value is';
  for (const value of [0, 9, 1.5, NaN, Infinity]) {
    assertThrows(() => checkCount("size", value, 1, 8), RangeError, `${count} ${value}`);
  }
  assertThrows(() => checkCount("size", "5", 1, 8), TypeError, `${count} "5"`);
});

Deno.test("checkOneOf shows the choices and the value", () => {
  assertEquals(checkOneOf("onLimit", "wait", ["wait", "drop"]), "wait");
  assertThrows(
    () => checkOneOf("onLimit", "close", ["wait", "drop"]),
    TypeError,
    'Cannot use option "onLimit" as "wait" or "drop": current value is "close"',
  );
});
