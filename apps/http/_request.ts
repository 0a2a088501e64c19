/**
 * What is asked for: addresses, the fields of the request, and where a redirect leads.
 *
 * @module
 */
import type { HttpHead } from "./head.ts";
import { HttpError } from "./errors.ts";
import type { HttpGetOptions, Settings } from "./options.ts";
import { packedCodings } from "./packed_names.ts";
import { quote } from "./_text.ts";

/** One request. */
export interface PageRequest {
  readonly url: URL;
  /** The user's fields, with credentials from the address. */
  readonly fields: readonly (readonly [string, string])[];
}

/** Fields that frame the request and its response. The user cannot set them. */
const OURS =
  /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;
/** Fields that were meant for one server only. */
const PRIVATE = /^(?:authorization|cookie|host|proxy-authorization)$/i;
const REDIRECTS = [301, 302, 303, 307, 308];

/** The first request: checks the address and the fields. */
export function firstRequest(
  address: string | URL,
  headers: HttpGetOptions["headers"] = [],
): PageRequest {
  const url = parseAddress(address);
  const given = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  const fields = given.map(([name, value]) => checkField(name, value));
  if (url.username !== "" || url.password !== "") {
    const names = fields.map(([name]) => name.toLowerCase());
    if (!names.includes("authorization")) fields.push(["Authorization", basic(url)]);
    url.username = url.password = "";
  }
  return { url, fields };
}

function parseAddress(address: string | URL): URL {
  const url = URL.parse(address);
  if (url === null) throw new TypeError(`Cannot fetch ${quote(String(address))}: it is no URL`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(
      `Cannot fetch ${quote(url.protocol)}: expected a URL with http: or https:`,
    );
  }
  return url;
}

/** The user name and password of an address, as RFC 7617 sends them. */
function basic(url: URL): string {
  const secret = `${unescapePart(url.username)}:${unescapePart(url.password)}`;
  return `Basic ${new TextEncoder().encode(secret).toBase64()}`;
}

function unescapePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function checkField(name: string, value: string): [string, string] {
  try {
    new Headers([[name, value]]);
  } catch (cause) {
    throw new TypeError(`Cannot send the field ${quote(name)}: ${quote(value)} is not allowed`, {
      cause,
    });
  }
  if (OURS.test(name)) {
    throw new TypeError(`Cannot send the field ${quote(name)}: it says how messages are framed`);
  }
  return [name, value.trim()];
}

/** All fields of a request, in the order in which they are sent. */
export function requestFields(
  request: PageRequest,
  settings: Settings,
): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = [
    ["Host", request.url.host],
    ["User-Agent", "tincan"],
    ["Accept", "*/*"],
  ];
  // A file that is compressed itself is requested as it is, so that no server packs it again.
  const isPacked = packedCodings(request.url.pathname).length > 0;
  if (settings.decode && !isPacked) fields.push(["Accept-Encoding", "gzip, deflate"]);
  const given = new Set(request.fields.map(([name]) => name.toLowerCase()));
  return [
    // The host comes first even when it is the user's (RFC 9110 section 7.2).
    ...request.fields.filter(([name]) => name.toLowerCase() === "host").slice(0, 1),
    ...fields.filter(([name]) => !given.has(name.toLowerCase())),
    ...request.fields.filter(([name]) => name.toLowerCase() !== "host"),
    ["Connection", "close"],
  ];
}

/**
 * The request that a redirect asks for; `null` if the response is none.
 *
 * @throws {HttpError} If it leads where redirects are not followed.
 */
export function redirected(
  request: PageRequest,
  head: HttpHead,
  settings: Settings,
): PageRequest | null {
  const given = head.fields.filter(([name]) => name.toLowerCase() === "location");
  const [location, ...others] = new Set(given.map(([, value]) => value));
  if (!REDIRECTS.includes(head.status) || location === undefined) return null;
  const { url } = request;
  const subject = `Cannot follow the redirect from ${url.href} to ${quote(location)}`;
  const refuse = (reason: string) =>
    new HttpError("bad_redirect", `${subject}: ${reason}`, { url: url.href });
  // Which one is meant is not defined, and others may take the other (RFC 9110 section 5.3).
  if (others.length > 0) throw refuse(`there is also one to ${quote(others[0] ?? "")}`);
  // Bytes beyond ASCII are escaped as they are, in whichever encoding they were meant.
  const escaped = location.replace(
    /[\x80-\xff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  const next = URL.parse(escaped, url);
  if (next === null || location === "") throw refuse("it is no address");
  if (next.protocol !== "http:" && next.protocol !== "https:") {
    throw refuse("only http: and https: are followed");
  }
  if (next.username !== "" || next.password !== "") throw refuse("it brings its own user name");
  if (url.protocol === "https:" && next.protocol === "http:" && !settings.allowDowngrade) {
    throw refuse("it leads from https to http, where others can read and change the page");
  }
  if (next.hash === "") next.hash = url.hash; // RFC 9110 section 10.2.2
  const fields = next.origin === url.origin
    ? request.fields
    : request.fields.filter(([name]) => !PRIVATE.test(name));
  return { url: next, fields };
}
