/**
 * A web page over a raw socket, and every step of it to look at.
 *
 *     deno run -A examples/http_get.ts http://example.com/              # the page on stdout
 *     deno run -A examples/http_get.ts -v http://example.com/           # and the wire on stderr
 *     deno run -A examples/http_get.ts https://example.com/ --output page.html
 *
 * Needs --allow-net, and with --output or --ca --allow-read and --allow-write. The shortest form is
 * examples/minimal/web_page.ts.
 */
import { httpGet } from "../apps/http/mod.ts";
import { getOptions, httpProgram, inKinds, showPage, urlOf } from "../terminal/http_program.ts";
import { abortOnInterrupt, defineProgram, runProgram } from "../terminal/program.ts";

/** How long it may take to remove an unfinished file when interrupted, in milliseconds. */
const CLEANUP_TIME = 2_000;

/** What it is called, takes and does. */
export const program = defineProgram({
  ...httpProgram,
  async main(values) {
    const signal = abortOnInterrupt(CLEANUP_TIME);
    const url = urlOf(values);
    const options = await getOptions(values);
    try {
      await using response = await httpGet(url, { ...options, signal });
      await showPage(response, values);
    } catch (error) {
      if (signal.aborted) Deno.exit(130);
      throw inKinds(error);
    }
  },
});

if (import.meta.main) await runProgram(program);
