/** Options without those that were not given. @module */

/** Leaves out what is `undefined`. */
export function given<T extends object>(
  options: T,
):
  & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> }
  & {
    [K in keyof T as undefined extends T[K] ? never : K]: T[K];
  } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as never;
}
