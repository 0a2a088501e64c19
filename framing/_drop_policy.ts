/** Whether broken frames are dropped. @module */
import type { FrameError } from "../errors.ts";
import { oneOf, show } from "./_options.ts";

/** What becomes of the frames that break a rule: `onTooLong` or `onCorrupt`, with `onDiscard`. */
export class DropPolicy {
  /** Whether they are dropped; otherwise they are an error. */
  readonly drops: boolean;
  readonly #onDiscard: ((error: FrameError) => void) | undefined;

  constructor(
    name: "onTooLong" | "onCorrupt",
    { choice, onDiscard }: {
      choice: unknown;
      onDiscard: ((error: FrameError) => void) | undefined;
    },
  ) {
    if (onDiscard !== undefined && typeof onDiscard !== "function") {
      throw new TypeError(
        `Cannot use onDiscard as a function: current value is ${show(onDiscard)}`,
      );
    }
    this.drops = oneOf(name, choice ?? "error", ["error", "discard"]) === "discard";
    this.#onDiscard = onDiscard;
  }

  /** Whether the frame is dropped without a word, so that no error is needed. */
  get isSilent(): boolean {
    return this.drops && this.#onDiscard === undefined;
  }

  /** Reports a dropped frame. */
  report(error: FrameError): void {
    this.#onDiscard?.(error);
  }
}
