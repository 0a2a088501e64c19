/** The completions, asked of the shells themselves. */
import { assert, assertEquals } from "@std/assert";
import { COMMANDS } from "../../cli/commands.ts";
import { answer } from "../../cli/suggestions.ts";
import { testWith } from "../_util/peers.ts";
import { inFolder, shell } from "./_tincan.ts";

const bashTest = testWith("bash");
const fishTest = testWith("fish");
const zshTest = testWith("zsh");

const limit = { timeout: 30_000 };

/** Makes `tincan` a command, which the scripts of the shells ask. */
const COMMAND = `
bin=$(mktemp -d); trap 'rm -rf "$bin"' EXIT; PATH=$bin:$PATH
printf '#!/bin/sh\\nexec %s "$@"\\n' "$TINCAN" > "$bin/tincan"; chmod +x "$bin/tincan"`;

/** What bash offers for a command line, as it would on the tab key. */
async function bash(line: string, folder = "/"): Promise<string[]> {
  const script = `${COMMAND}
source <(tincan completions bash)
cd "$2"
read -ra COMP_WORDS <<< "$1"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
COMP_LINE=$1
COMP_POINT=\${#COMP_LINE}
[[ $(complete -p tincan) == *"-F _tincan tincan" ]] || exit 3
_tincan tincan "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { code, stdout, stderr } = await shell(
    'exec bash -c "$1" bash "$2" "$3"',
    script,
    line,
    folder,
  );
  assertEquals([code, stderr], [0, ""], line);
  return stdout.trimEnd().split("\n");
}

bashTest("bash completes commands, their commands, options, values and files", limit, async () => {
  const names = COMMANDS.map(({ name }) => name);
  assertEquals(await bash("tincan "), [...names, "help", "--help", "--version"]);
  assertEquals(await bash("tincan li"), ["listen"]);
  assertEquals(await bash("tincan help sc"), ["scan"]);
  assertEquals(await bash("tincan files "), ["serve", "list", "get", "put"]);
  assertEquals(await bash("tincan chat j"), ["join"]);
  assertEquals(await bash("tincan connect --f"), ["--framing"]);
  assertEquals(await bash("tincan connect --framing var"), ["varint"]);
  assertEquals(await bash("tincan files get x --checksum "), ["sha256", "crc32", "none"]);
  assertEquals(await bash("tincan echo --up"), ["--upper"]);
  assertEquals(await bash("tincan connect --port "), [""]);
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/ca one.pem`, "");
    await Deno.mkdir(`${folder}/shared`);
    assertEquals(await bash("tincan connect --ca c", folder), ["ca one.pem"]);
    assertEquals(await bash("tincan files serve s", folder), ["shared/"]);
  });
});

Deno.test(
  "every option of every command is offered, in the form of each shell",
  limit,
  async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      for (const { name, load, loadUdp } of COMMANDS) {
        for (const [udp, loaded] of [[[], load], [["--udp"], loadUdp]] as const) {
          if (loaded === undefined) continue;
          const help = await (await loaded()).program.help();
          const offered = await answer(shell, [name, ...udp, "--"]);
          const options = [...help.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, option = ""]) =>
            option
          );
          assert(options.includes("--help"));
          for (const option of options) {
            if (option === "--help" || option === "--version") continue;
            assert(offered.includes(option), `${shell}: ${name} does not offer ${option}`);
          }
        }
      }
    }
  },
);

zshTest({
  ...limit,
  name: "zsh takes the completions",
  fn: () =>
    inFolder(async (folder) => {
      const script = `${COMMAND}
$TINCAN completions zsh > "$1/_tincan"
zsh -n "$1/_tincan" || exit 3
zsh -fc 'autoload -Uz compinit; compinit -u -d "$1/dump"; eval "$(<$1/_tincan)"; print $_comps[tincan]' zsh "$1"
cat > "$1/ask.zsh" <<'EOF'
zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -fi'
zpty -w shell "PROMPT=; unsetopt promptsp; autoload -Uz compinit; compinit -u -d $1/dump; source $1/_tincan; print RE''ADY"
zpty -r shell seen '*READY*'
zpty -w -n shell $'tincan lis\\t'
zpty -r shell seen '*listen*' && print listen
zpty -w -n shell $'9000 --keep-o\\t'
zpty -r shell seen '*--keep-open*' && print keep-open
EOF
timeout 20 zsh -f "$1/ask.zsh" "$1"`;
      const { code, stdout, stderr } = await shell(script, folder);
      assertEquals([code, stdout], [0, "_tincan\nlisten\nkeep-open\n"], stderr);
    }),
});

fishTest({
  ...limit,
  name: "fish completes commands, their commands, options and values",
  fn: async () => {
    const ask = async (line: string) => {
      const script =
        `${COMMAND}\nfish --no-config -c "$(tincan completions fish); complete -C \\"$1\\""`;
      const { code, stdout, stderr } = await shell(script, line);
      assertEquals([code, stderr], [0, ""]);
      return stdout.trimEnd().split("\n").map((found) => found.split("\t")[0]);
    };
    assertEquals(await ask("tincan lis"), ["listen"]);
    assert((await ask("tincan files ")).includes("serve"));
    assertEquals(await ask("tincan chat j"), ["join"]);
    assertEquals(await ask("tincan connect --fram"), ["--framing"]);
    assertEquals(await ask("tincan connect --framing vari"), ["varint"]);
    assertEquals(await ask("tincan listen --keep"), ["--keep-open"]);
    assertEquals(await ask("tincan scan --keep"), [""]);
  },
});
