/** Talk by name over UDP: bare text in datagrams, to and from a table of contacts. @module */
import { formatHostPort, stripBrackets, unmapHostname } from "../../common/address.ts";
import { parseIp } from "../../common/cidr.ts";
import { toPrintable } from "../../common/escape.ts";
import { checkCount, checkOptions, namesOf, type OptionNames } from "../../common/options.ts";
import { BIND_NAMES } from "../../common/udp_option_names.ts";
import { bindUdp, type UdpBindOptions, type UdpEndpoint } from "../../udp/mod.ts";
import type { ContactAddress } from "./contacts.ts";
import { chatNameKey } from "./names.ts";

/** The largest datagram there is, over IPv6. */
const MAX_DATAGRAM_SIZE = 65_527;

/**
 * Lines of one message that are shown: more push away what others have said. A message of the usual
 * length has no room for half as many.
 */
const MAX_LINES = 1_000;

const LF = 0x0a;
const CR = 0x0d;

/** The people who talk, and everything that `bindUdp` takes. */
export interface UdpChatOptions extends UdpBindOptions {
  /** Our own name. */
  name: string;
  /** The people we know, as `parseContacts` returns them. */
  contacts: ReadonlyMap<string, ContactAddress>;
  /**
   * The address to bind.
   *
   * @default {undefined} what the contacts have for our own name, else 127.0.0.1
   */
  hostname?: string | undefined;
  /**
   * The port to bind; 0 lets the system choose a free one.
   *
   * @default {undefined} what the contacts have for our own name, else 0
   */
  port?: number | undefined;
  /**
   * The longest message to send, in bytes; a longer one is refused, not cut.
   *
   * @default {1_024} what peers of a few lines give to `recvfrom`, which cuts off the rest, and what
   * fits into one packet of any network
   */
  maxLength?: number | undefined;
}

const NAMES: OptionNames<UdpChatOptions> = {
  ...BIND_NAMES,
  ...namesOf("name", "contacts", "maxLength"),
};

/** A message from another peer. */
export interface UdpChatMessage {
  /** The contact who has this address; `null` for a stranger. */
  readonly from: string | null;
  /** Where it came from, as `host:port`. */
  readonly address: string;
  /**
   * The lines of the text, made printable, without their ends. Bytes that are not UTF-8 are U+FFFD. After
   * a thousand lines a last one says how many more came.
   */
  readonly lines: readonly string[];
  /** The bytes as they came. */
  readonly data: Uint8Array;
}

let create: (options: UdpChatOptions, endpoint: UdpEndpoint<Deno.NetAddr>) => UdpChat;

/**
 * A socket to talk by name: what {@linkcode bindUdpChat} returns. Iterating gives the messages that
 * arrive.
 *
 * A datagram is a message, nothing but text; its address alone says who has sent it. That is no proof:
 * anyone on the way can send in another's name, and messages can get lost, as UDP has it.
 */
export class UdpChat implements AsyncIterable<UdpChatMessage>, AsyncDisposable {
  /** Our own name. */
  readonly name: string;
  /** The longest message that is sent, in bytes. */
  readonly maxLength: number;
  readonly #contacts: ReadonlyMap<string, ContactAddress>;
  readonly #endpoint: UdpEndpoint<Deno.NetAddr>;
  readonly #names = new Map<string, string>(); // by what is the same for names that look the same
  readonly #senders = new Map<string, string>(); // by address

  static {
    create = (options, endpoint) => new UdpChat(options, endpoint);
  }

  /** `options.contacts` have numeric addresses, as far as they were found. */
  private constructor(options: UdpChatOptions, endpoint: UdpEndpoint<Deno.NetAddr>) {
    this.name = options.name;
    this.maxLength = checkCount("maxLength", options.maxLength ?? 1_024, 1);
    this.#contacts = options.contacts;
    this.#endpoint = endpoint;
    for (const [name, { hostname, port }] of options.contacts) {
      this.#names.set(chatNameKey(name), name);
      const [plain = ""] = hostname.split("%"); // the runtime reports senders without their zone
      const sender = formatHostPort(plain, port);
      if (!this.#senders.has(sender)) this.#senders.set(sender, name);
    }
  }

  /** Where we are bound; with the port the system chose, if it was 0. */
  get addr(): Deno.NetAddr {
    return this.#endpoint.addr;
  }

  /** The names of all contacts but ourselves. */
  get names(): string[] {
    const own = chatNameKey(this.name);
    return [...this.#contacts.keys()].filter((name) => chatNameKey(name) !== own);
  }

  /**
   * Finds a contact, whatever the case of the letters.
   *
   * @param name What was typed.
   * @returns The name as it stands in the contacts; `null` if there is none.
   */
  find(name: string): string | null {
    return this.#names.get(chatNameKey(name.trim())) ?? null;
  }

  /**
   * Sends a message to a contact. Whether it arrives does not show.
   *
   * @param to The contact's name.
   * @param text What to say.
   * @throws {TypeError} If there is no such contact.
   * @throws {RangeError} If the text is longer than `maxLength`; nothing was sent.
   * @throws {Deno.errors.NotFound} If the contact's host is not known.
   * @throws {ClosedError} If this side was closed.
   */
  async send(to: string, text: string): Promise<void> {
    const name = this.find(to);
    const contact = name === null ? undefined : this.#contacts.get(name);
    if (contact === undefined) throw new TypeError(`Cannot send: there is no contact "${to}"`);
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > this.maxLength) {
      throw new RangeError(
        `Cannot send ${bytes.length} bytes: a message may have at most ${this.maxLength}`,
      );
    }
    await this.#endpoint.send(bytes, contact);
  }

  /**
   * The messages as they come, until this side is closed.
   *
   * @returns An iterator; leaving it loses nothing.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<UdpChatMessage, void, undefined> {
    for await (const { data, from } of this.#endpoint) {
      const address = formatHostPort(from.hostname, from.port);
      yield { from: this.#senders.get(address) ?? null, address, lines: linesOf(data), data };
    }
  }

  /** Closes the socket; loops over the messages end. */
  close(): Promise<void> {
    return this.#endpoint.close();
  }

  /** Closes as {@linkcode close} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Binds a UDP socket to talk by name. The hosts of all contacts are looked up first, so that senders
 * can be recognised by their addresses.
 *
 * @param options The people who talk, and where to bind.
 * @returns The socket with its contacts.
 * @throws {Deno.errors.AddrInUse} If something is bound there already.
 * @throws {Deno.errors.AddrNotAvailable} If the address is not one of this machine's.
 * @throws {RangeError | TypeError} If an option is out of range or does not exist.
 *
 * @example
 * ```ts
 * import { bindUdpChat, parseContacts } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * await using bob = await bindUdpChat({ name: "Bob", contacts: new Map() });
 * const { port } = bob.addr;
 * const contacts = parseContacts(JSON.stringify({ Bob: `localhost:${port}` }));
 *
 * await using ada = await bindUdpChat({ name: "Ada", contacts });
 * await ada.send("bob", "\u4f60\u597d");
 * for await (const { from, lines } of bob) {
 *   assertEquals([from, ...lines], [null, "\u4f60\u597d"]); // Bob does not know Ada
 *   break;
 * }
 * ```
 */
export async function bindUdpChat(options: UdpChatOptions): Promise<UdpChat> {
  checkOptions("bindUdpChat", options, NAMES);
  const { name, contacts, maxLength: _, ...binding } = options;
  const own = [...contacts].find(([other]) => chatNameKey(other) === chatNameKey(name))?.[1];
  const endpoint = await bindUdp({
    maxDatagramSize: MAX_DATAGRAM_SIZE,
    ...binding,
    hostname: options.hostname ?? own?.hostname ?? "127.0.0.1",
    port: options.port ?? own?.port ?? 0,
  });
  try {
    return create({ ...options, contacts: await lookUp(contacts, endpoint.addr) }, endpoint);
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/** The contacts with their numeric addresses. A host that is not found stays as it is: it is looked up
 * again, and the failure reported, when something is sent there. */
async function lookUp(
  contacts: ReadonlyMap<string, ContactAddress>,
  bound: Deno.NetAddr,
): Promise<Map<string, ContactAddress>> {
  const family = bound.hostname.includes(":") ? 0 : 4;
  return new Map(
    await Promise.all(Array.from(contacts, async ([name, { hostname, port }]) => {
      const address = await numericAddress(hostname, family).catch(() => hostname);
      return [name, { hostname: address, port }] as const;
    })),
  );
}

/** The address of a host, spelt as the runtime spells it. */
async function numericAddress(hostname: string, family: 0 | 4): Promise<string> {
  const { lookup } = await import("node:dns/promises");
  const isNumeric = parseIp(unmapHostname(hostname)) !== null;
  const found = unmapHostname(isNumeric ? hostname : (await lookup(hostname, { family })).address);
  if (!found.includes(":")) return found;
  const [address, ...zone] = found.split("%");
  return [stripBrackets(new URL(`http://[${address}]`).hostname), ...zone].join("%");
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function linesOf(data: Uint8Array): string[] {
  const bytes = withoutLineEnds(data);
  const lines = decoder.decode(bytes).split(/\r?\n/, MAX_LINES).map(toPrintable);
  if (lines.length < MAX_LINES) return lines;
  const more = bytes.filter((byte) => byte === LF).length + 1 - MAX_LINES;
  return more > 0 ? [...lines, `(cut off here, ${more} more lines came)`] : lines;
}

/** The bytes without the line ends after the last line. */
function withoutLineEnds(data: Uint8Array): Uint8Array {
  let end = data.length;
  while (data[end - 1] === LF) end -= data[end - 2] === CR ? 2 : 1;
  return data.subarray(0, end);
}
