/**
 * What each codec should find in a whole stream, written without regard to speed, chunks or the code it
 * is compared with: bytes are characters of a string here.
 */

/** What is found, in its order. */
export interface Found {
  /**
   * A frame; one that is dropped; one with bad contents, after which decoding resumes; or the end of the
   * framing.
   */
  kind: "frame" | "drop" | "fault" | "error";
  /** Where it begins in the stream. */
  start: number;
  /** Where it ends, if it does. */
  end?: number;
  /** The contents of a frame. */
  value?: unknown;
  code?: string;
  length?: number | undefined;
  limit?: number | undefined;
}

/** What becomes of frames that break a rule. */
export interface Rules {
  maxLength: number;
  dropsLong: boolean;
  dropsCorrupt: boolean;
}

/** Finds what is in a whole stream, which has ended. */
export type Reference = (stream: string) => Found[];

/** Collects what is found, and ends with the first error. */
function collect(run: (add: (found: Found) => void) => void): Found[] {
  const all: Found[] = [];
  const over = Symbol();
  try {
    run((found) => {
      all.push(found);
      if (found.kind === "error") throw over;
    });
  } catch (error) {
    if (error !== over) throw error;
  }
  return all;
}

/** A frame that is too long, with the length as far as it was looked at. */
function tooLong(rules: Rules, start: number, length: number, end?: number): Found {
  const kind = rules.dropsLong && length <= Number.MAX_SAFE_INTEGER ? "drop" : "error";
  const found: Found = { kind, start, code: "too_long", length, limit: rules.maxLength };
  return kind === "drop" && end !== undefined ? { ...found, end } : found;
}

export function linesReference(rules: Rules & { keepEnd: boolean }): Reference {
  return (stream) =>
    collect((add) => {
      let start = 0;
      for (const [line] of stream.matchAll(/[^\n]*\n|[^\n]+$/g)) {
        const content = line.replace(/\r?\n$/, "");
        const end = start + line.length;
        if (content.length > rules.maxLength) {
          add(tooLong(rules, start, rules.maxLength + 1, end));
        } else {
          add({ kind: "frame", start, end, value: rules.keepEnd ? line : content });
        }
        start = end;
      }
    });
}

export function delimitedReference(
  delimiters: string[],
  rules: Rules & { keepEnd: boolean },
): Reference {
  const longestFirst = delimiters.toSorted((a, b) => b.length - a.length);
  return (stream) =>
    collect((add) => {
      let content = "";
      const finish = (delimiter: string, end: number): void => {
        const start = end - content.length;
        const bare = content.slice(0, content.length - delimiter.length);
        if (bare.length > rules.maxLength) add(tooLong(rules, start, rules.maxLength + 1, end));
        else add({ kind: "frame", start, end, value: rules.keepEnd ? content : bare });
        content = "";
      };
      for (let i = 0; i < stream.length; i++) {
        content += stream[i];
        const delimiter = longestFirst.find((each) => content.endsWith(each));
        if (delimiter !== undefined) finish(delimiter, i + 1);
      }
      if (content !== "") finish("", stream.length);
    });
}

export function fixedReference(size: number): Reference {
  return (stream) =>
    collect((add) => {
      for (let start = 0; start < stream.length; start += size) {
        const value = stream.slice(start, start + size);
        if (value.length === size) add({ kind: "frame", start, end: start + size, value });
        else add({ kind: "error", start, code: "truncated", length: size });
      }
    });
}

/** What a header says: how long it and the body are, or that it is incomplete or wrong. */
type Header =
  | { header: number; body: number; stripped: number }
  | "incomplete"
  | { code: string; length?: number | undefined };

/** Frames whose headers tell their length. */
function prefixed(rules: Rules, read: (rest: string) => Header): Reference {
  return (stream) =>
    collect((add) => {
      for (let start = 0; start < stream.length;) {
        const rest = stream.slice(start);
        const head = read(rest);
        if (head === "incomplete") {
          return add({ kind: "error", start, code: "truncated", length: rest.length });
        }
        if ("code" in head) return add({ kind: "error", start, ...head });
        const total = head.header + head.body;
        const isWhole = total <= rest.length;
        if (head.body > rules.maxLength) {
          add(tooLong(rules, start, head.body, isWhole ? start + total : undefined));
          if (!isWhole) add({ kind: "error", start, code: "truncated", length: undefined });
        } else if (isWhole) {
          const value = rest.slice(head.stripped, total);
          add({ kind: "frame", start, end: start + total, value });
        } else {
          add({ kind: "error", start, code: "truncated", length: total });
        }
        start += total;
      }
    });
}

export interface PrefixLayout {
  size: number;
  littleEndian: boolean;
  offset: number;
  adjustment: number;
  includesHeader: boolean;
  strip: number;
}

export function lengthPrefixedReference(layout: PrefixLayout, rules: Rules): Reference {
  const header = layout.offset + layout.size;
  return prefixed(rules, (rest) => {
    if (rest.length < header) return "incomplete";
    const digits = Array.from(
      rest.slice(layout.offset, header),
      (each) => each.charCodeAt(0).toString(16).padStart(2, "0"),
    );
    if (layout.littleEndian) digits.reverse();
    const length = Number(BigInt(`0x${digits.join("")}`));
    const body = length + layout.adjustment - (layout.includesHeader ? header : 0);
    const fits = body >= 0 && header + body >= layout.strip;
    if (!fits && body <= rules.maxLength) return { code: "corrupt", length };
    return { header, body, stripped: layout.strip };
  });
}

export function varintReference(rules: Rules): Reference {
  return prefixed(rules, (rest) => {
    const last = Array.from(rest).findIndex((each) => each < "\x80");
    if (last > 9 || (last === -1 && rest.length >= 10)) return { code: "corrupt" };
    if (last === -1) return "incomplete";
    const bits = Array.from(
      rest.slice(0, last + 1),
      (each) => (each.charCodeAt(0) & 0x7f).toString(2).padStart(7, "0"),
    );
    const body = Number(BigInt(`0b${bits.reverse().join("")}`));
    return { header: last + 1, body, stripped: last + 1 };
  });
}

export function netstringReference(rules: Rules): Reference {
  return (stream) =>
    collect((add) => {
      for (let start = 0; start < stream.length;) {
        const rest = stream.slice(start);
        // Digit by digit, because the first that is wrong or too many decides.
        let digits = "";
        while (/^\d$/.test(rest[digits.length] ?? "")) {
          if (digits === "0") return add({ kind: "error", start, code: "corrupt" });
          digits += rest[digits.length];
          if (Number(digits) > rules.maxLength && !rules.dropsLong) {
            return add(tooLong(rules, start, Number(digits)));
          }
          if (Number(digits) > Number.MAX_SAFE_INTEGER) {
            return add(tooLong(rules, start, Number(digits)));
          }
        }
        const colon = rest[digits.length];
        if (colon === undefined) {
          return add({ kind: "error", start, code: "truncated", length: rest.length });
        }
        if (colon !== ":" || digits === "") return add({ kind: "error", start, code: "corrupt" });
        const from = digits.length + 1;
        const length = Number(digits);
        const comma = rest[from + length];
        const end = start + from + length + 1;
        const isLong = length > rules.maxLength;
        if (isLong) add({ ...tooLong(rules, start, length), ...(comma === "," ? { end } : {}) });
        if (comma === undefined) {
          const known = isLong ? undefined : from + length + 1;
          return add({ kind: "error", start, code: "truncated", length: known });
        }
        if (comma !== ",") return add({ kind: "error", start, code: "corrupt", length });
        if (!isLong) add({ kind: "frame", start, end, value: rest.slice(from, from + length) });
        start = end;
      }
    });
}

/** What is wrong with a packet, or its contents. */
type Packet = { value: string } | "too_long" | "corrupt" | "incomplete";

/** Packets that end with a byte of their own. */
function terminated(
  terminator: string,
  rules: Rules,
  read: (packet: string, isWhole: boolean) => Packet,
): Reference {
  return (stream) =>
    collect((add) => {
      const packets = stream.split(terminator);
      let start = 0;
      for (const [i, packet] of packets.entries()) {
        const isWhole = i < packets.length - 1;
        const end = isWhole ? start + packet.length + 1 : undefined;
        const result = packet === "" ? undefined : read(packet, isWhole);
        if (result === "too_long") add(tooLong(rules, start, rules.maxLength + 1, end));
        else if (result === "corrupt") {
          const kind = rules.dropsCorrupt ? "drop" : "error";
          add({
            kind,
            start,
            code: "corrupt",
            ...(rules.dropsCorrupt && isWhole ? { end: end! } : {}),
          });
        } else if (isWhole && typeof result === "object") {
          add({ kind: "frame", start, end: end!, value: result.value });
        }
        if (!isWhole && result !== undefined) {
          const length = typeof result === "object" || result === "incomplete"
            ? packet.length
            : undefined;
          add({ kind: "error", start, code: "truncated", length });
        }
        start = end ?? start;
      }
    });
}

export function slipReference(rules: Rules): Reference {
  return terminated("\xc0", rules, (packet, isWhole) => {
    let value = "";
    for (const [unit] of packet.matchAll(/\xdb[^]?|[^]/g)) {
      if (unit === "\xdb" && !isWhole) return "incomplete";
      if (unit[0] === "\xdb" && !["\xdb\xdc", "\xdb\xdd"].includes(unit)) return "corrupt";
      value += unit === "\xdb\xdc" ? "\xc0" : unit === "\xdb\xdd" ? "\xdb" : unit;
      if (value.length > rules.maxLength) return "too_long";
    }
    return { value };
  });
}

export function cobsReference(rules: Rules): Reference {
  return terminated("\0", rules, (packet, isWhole) => {
    // Whatever is in it, so many bytes cannot stand for fewer.
    if (packet.length - Math.ceil(packet.length / 255) > rules.maxLength) return "too_long";
    if (!isWhole) return "incomplete";
    const blocks: string[] = [];
    let isFull = false;
    for (let rest = packet; rest !== "";) {
      const code = rest.charCodeAt(0);
      if (rest.length < code) return "corrupt";
      blocks.push(rest.slice(1, code) + (code === 255 ? "" : "\0"));
      isFull = code === 255;
      rest = rest.slice(code);
    }
    const joined = blocks.join("");
    const value = isFull ? joined : joined.slice(0, -1);
    return value.length > rules.maxLength ? "too_long" : { value };
  });
}

/** What a wrapper makes of a frame: another value, or a reason to refuse it. */
export type Unwrapped = { value: unknown } | { code: string; length?: number | undefined };

/** What a wrapper finds in what the codec below finds. */
export function wrapped(
  below: Reference,
  drops: boolean,
  unwrap: (value: string) => Unwrapped,
): Reference {
  return (stream) =>
    below(stream).map((found) => {
      if (found.kind !== "frame") return found;
      const result = unwrap(found.value as string);
      const { start, end } = found;
      return "value" in result
        ? { ...found, value: result.value }
        : { kind: drops ? "drop" : "fault", start, end: end!, ...result };
    });
}
