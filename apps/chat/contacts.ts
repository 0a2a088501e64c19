/** The table of contacts: which name is at which address. @module */
import { chatNameKey, chatNameLooks, imitation } from "./names.ts";
import { toPrintable } from "../../common/escape.ts";

/** Contacts in one table: more is not a list that a person keeps by hand. */
const MAX_CONTACTS = 10_000;

/** Characters in a contact's name: more does not fit in front of a message. */
const MAX_CONTACT_NAME_LENGTH = 64;

/** Where a contact is. */
export interface ContactAddress {
  /** The name or address, without the brackets of IPv6. */
  readonly hostname: string;
  /** The port, from 1 to 65535. */
  readonly port: number;
}

/**
 * Reads a table of contacts: a JSON object of names and `"host:port"`, with IPv6 addresses in
 * brackets.
 *
 * @param json The contents of the file.
 * @param source What the errors call it, mostly the file's name.
 * @returns The contacts by their names, in the order of the file, names in Unicode's form NFC.
 * @throws {TypeError} If it is not such a table, or if names are hard to see or to tell apart; the message
 * names the source and the entry.
 *
 * @example
 * ```ts
 * import { parseContacts } from "@tincan/net/chat";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const contacts = parseContacts('{ "Ada": "127.0.0.1:9001", "\u674e\u96f7": "[::1]:9002" }');
 * assertEquals(contacts.get("\u674e\u96f7"), { hostname: "::1", port: 9002 });
 * assertThrows(
 *   () => parseContacts('{ "Ada": "127.0.0.1" }', "friends.json"),
 *   TypeError,
 *   'Cannot read friends.json: entry "Ada": expected "host:port", current value is "127.0.0.1"',
 * );
 * ```
 */
export function parseContacts(json: string, source = "contacts"): Map<string, ContactAddress> {
  const fail = (problem: string) => new TypeError(`Cannot read ${source}: ${toPrintable(problem)}`);
  const table = parseTable(json, fail);
  const contacts = new Map<string, ContactAddress>();
  const keys = new Map<string, string>(); // of names that are the same
  const looks = new Map<string, string>(); // of names that look the same
  for (const [written, value] of Object.entries(table)) {
    const entry = `entry ${JSON.stringify(written)}`;
    const name = written.normalize("NFC").trim();
    const key = chatNameKey(name);
    const ownLooks = chatNameLooks(name);
    const alike = ownLooks.map((look) => looks.get(look)).find((other) => other !== undefined);
    const problem = checkName(name) ?? clash("is the same as", keys.get(key)) ??
      clash("looks like", alike);
    if (problem !== undefined) throw fail(`${entry}: ${problem}`);
    if (keys.size === MAX_CONTACTS) throw fail(`there are more than ${MAX_CONTACTS} entries`);
    const address = typeof value === "string" ? parseAddress(value) : ADDRESS_FORM;
    if (typeof address === "string") {
      throw fail(`${entry}: ${address}, current value is ${JSON.stringify(value)}`);
    }
    keys.set(key, written);
    for (const look of ownLooks) looks.set(look, written);
    contacts.set(name, address);
  }
  return contacts;
}

const ADDRESS_FORM = 'expected "host:port"';

function parseTable(json: string, fail: (problem: string) => TypeError): object {
  let table: unknown;
  try {
    table = JSON.parse(json.replace(/^\ufeff/, ""));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw fail(`it is not JSON: ${reason}`);
  }
  if (typeof table !== "object" || table === null || Array.isArray(table)) {
    const what = Array.isArray(table) ? "an array" : JSON.stringify(table).slice(0, 40);
    throw fail(`expected an object of names and "host:port", current value is ${what}`);
  }
  return table;
}

function checkName(name: string): string | undefined {
  if (name === "") return "the name is empty";
  if (toPrintable(name) !== name) return "the name has control characters in it";
  if ([...name].length > MAX_CONTACT_NAME_LENGTH) {
    return `the name is longer than ${MAX_CONTACT_NAME_LENGTH} characters`;
  }
  // Each word by itself: a person's names in two alphabets are no imitation.
  for (const word of name.split(/\s+/u)) {
    const problem = imitation(word);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function clash(how: string, other: string | undefined): string | undefined {
  return other === undefined ? undefined : `the name ${how} ${JSON.stringify(other)}`;
}

/** The address, or what is wrong with it. */
function parseAddress(value: string): ContactAddress | string {
  const [, bracketed, plain, digits = ""] =
    /^(?:\[([^[\]\s]+)\]|([^[\]:\s/]+)):(\d{1,6})$/.exec(value.trim()) ?? [];
  const hostname = bracketed ?? plain;
  if (hostname === undefined) {
    const isBareIpv6 = value.split(":").length > 2 && !value.includes("[");
    return isBareIpv6 ? `${ADDRESS_FORM} with an IPv6 address in brackets` : ADDRESS_FORM;
  }
  const port = Number(digits);
  return port >= 1 && port <= 65_535
    ? { hostname, port }
    : "the port must be a whole number from 1 to 65535";
}
