/** Whether broken frames are dropped. @module */
import type { FrameError } from "../errors.ts";
import { catchRejection } from "../common/catch_rejection.ts";
import { escapeControls } from "../common/escape.ts";
import { checkOneOf, type OptionNames, unfit } from "../common/options.ts";
import type { CorruptOptions } from "./limits.ts";

/** The options of {@linkcode DropPolicy} for frames whose contents are broken. */
export const CORRUPT_NAMES: OptionNames<CorruptOptions> = { onCorrupt: true, onDiscard: true };

/** What becomes of the frames that break a rule: `onTooLong` or `onCorrupt`, with `onDiscard`. */
export class DropPolicy {
  /** Whether they are dropped; otherwise they are an error. */
  readonly drops: boolean;
  readonly #onDiscard: ((error: FrameError) => void) | undefined;
  #hasComplained = false;

  constructor(
    name: "onTooLong" | "onCorrupt",
    choice: "error" | "discard",
    onDiscard: ((error: FrameError) => void) | undefined,
  ) {
    if (onDiscard !== undefined && typeof onDiscard !== "function") {
      throw new TypeError(unfit("onDiscard", "a function", onDiscard));
    }
    this.drops = checkOneOf(name, choice, ["error", "discard"]) === "discard";
    this.#onDiscard = onDiscard;
  }

  /** The policy for frames whose contents are broken. */
  static ofCorrupt({ onCorrupt = "error", onDiscard }: CorruptOptions): DropPolicy {
    return new DropPolicy("onCorrupt", onCorrupt, onDiscard);
  }

  /** Whether the frame is dropped without a report, so that no error is needed. */
  get isSilent(): boolean {
    return this.drops && this.#onDiscard === undefined;
  }

  /** Reports a dropped frame. */
  report(error: FrameError): void {
    catchRejection(this.#onDiscard?.(error), (thrown) => this.#complain(thrown));
  }

  /** Reports that `onDiscard` rejects; once, because a peer could cause it without end. */
  #complain(thrown: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    const stack = String(thrown instanceof Error ? thrown.stack ?? thrown.message : thrown);
    console.error(stack.split("\n").map((line) => escapeControls(line)).join("\n"));
  }
}
