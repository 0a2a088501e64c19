/** The errors of decoders, which peers can cause by the thousand. @module */
import { FrameError, type FrameErrorCode } from "../errors.ts";

/** The fields of a `FrameError` besides its message. */
type Details = ConstructorParameters<typeof FrameError>[2];

/**
 * Makes the error for bytes that are not a frame. It has no stack: the stack would show where in the
 * decoder the frame was found to be broken, which the message says better, and recording it doubles
 * the cost of the error.
 */
export function frameError(
  code: FrameErrorCode,
  message: string,
  options?: Details,
): FrameError {
  // With a limit that is not a number V8 records nothing. Reflect.set, because Error may be frozen.
  const limit: unknown = Reflect.get(Error, "stackTraceLimit");
  Reflect.set(Error, "stackTraceLimit", undefined);
  const error = new FrameError(code, message, options);
  Reflect.set(Error, "stackTraceLimit", limit);
  error.stack = `FrameError: ${message}`;
  return error;
}

/** Makes a `FrameError`: {@linkcode frameError} to be thrown, {@linkcode frameReport} to be reported. */
export type MakeFrameError = typeof frameError;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Makes the report of a frame that was dropped. To its reader it is the same as the error of
 * {@linkcode frameError}, and it is shown in the same way. It is not created by the engine, which walks
 * the stack for each error even if it records nothing: that takes ten times as long as dropping the frame.
 */
export function frameReport(
  code: FrameErrorCode,
  message: string,
  options: Details = {},
): FrameError {
  const error: Writable<FrameError> = Object.create(FrameError.prototype);
  error.name = "FrameError";
  error.code = code;
  error.length = options.length;
  error.limit = options.limit;
  error.offset = options.offset;
  hide(error, "message", message);
  hide(error, "stack", `FrameError: ${message}`);
  if ("cause" in options) hide(error, "cause", options.cause);
  return error;
}

/** Sets a property as errors have it: not enumerable. */
function hide(error: object, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true });
}

/**
 * What decoding functions of this module return or throw in place of an error, which is made of it only
 * if it is to be seen. To return it is faster.
 */
export class Broken {
  readonly code: FrameErrorCode;
  readonly message: string;
  readonly length: number | undefined;

  constructor(code: FrameErrorCode, message: string, length?: number) {
    this.code = code;
    this.message = message;
    this.length = length;
  }
}
