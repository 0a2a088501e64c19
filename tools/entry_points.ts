/**
 * Runs a deno command on every entry point of the package, so that no list of them has to be kept
 * beside the one in deno.json.
 *
 *     deno run --allow-read=. --allow-run tools/entry_points.ts doc --lint
 */
const config = JSON.parse(await Deno.readTextFile("deno.json"));
const entryPoints = Object.values<string>(config.exports);
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [...Deno.args, ...entryPoints],
}).spawn().status;
Deno.exit(code);
