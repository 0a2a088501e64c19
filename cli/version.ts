/** Which version this is. @module */
import config from "../deno.json" with { type: "json" };

/** The version in deno.json; `deno compile` embeds it. */
export const VERSION: string = config.version;
