/** What a room's lines say, for programs. @module */
import { toPrintable } from "../../common/escape.ts";

/** A line from a room, understood. */
export interface ChatLine {
  /**
   * What it is.
   *
   * - `message`: a member said it to all.
   * - `action`: a member did it (`/me`).
   * - `private`: a member said it to this person only.
   * - `sent`: this person said it to `from` only; the room confirms it.
   * - `notice`: the room says it itself.
   */
  readonly kind: "message" | "action" | "private" | "sent" | "notice";
  /** The name of the speaker, or of the receiver of a `sent` line; `null` for a notice. */
  readonly from: string | null;
  /** What was said. */
  readonly text: string;
  /** The whole line. */
  readonly line: string;
}

const SPOKEN = /^(?:<([^\s<>]+)>|\* (\S+)|\[([^\s[\]]+)\]|\[to ([^\s[\]]+)\]) (.*)$/su;
/** What each of its names stands for. */
const KINDS = ["message", "action", "private", "sent"] as const;

/**
 * Understands a line that a room has sent. What a terminal would obey is made printable first, because
 * not every server does it.
 *
 * @param line The line without its end.
 * @returns What it says. A line that is none of a room's is a notice.
 *
 * @example
 * ```ts
 * import { parseChatLine } from "@tincan/net/chat";
 * import { assertEquals } from "@std/assert";
 *
 * const { kind, from, text } = parseChatLine("<Ada> hello");
 * assertEquals([kind, from, text], ["message", "Ada", "hello"]);
 * assertEquals(parseChatLine("*** Ada has left").kind, "notice");
 * ```
 */
export function parseChatLine(line: string): ChatLine {
  const shown = toPrintable(line);
  const names = SPOKEN.exec(shown)?.slice(1) ?? [];
  const text = names.pop() ?? "";
  const at = names.findIndex((name) => name !== undefined);
  const from = names[at];
  return from === undefined
    ? { kind: "notice", from: null, text: shown.replace(/^\*\*\* /, ""), line: shown }
    : { kind: KINDS[at] ?? "message", from, text, line: shown };
}
