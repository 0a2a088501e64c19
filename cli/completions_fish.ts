/** Completions for fish. @module */
import type { DescribedCommand, DescribedOption } from "./described.ts";

/** The script for fish, to be read with `source`. */
export function fishCompletions(commands: readonly DescribedCommand[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# Completions of tincan for fish: tincan completions fish | source
function __tincan_is
    set -l words (commandline -opc)
    if test (count $argv) -eq 0
        test (count $words) -eq 1
    else if test (count $argv) -eq 2
        test "$words[2]" = "$argv[1]"; and test (count $words) -eq 2
    else
        test "$words[2]" = "$argv[1]"
    end
end
complete -c tincan -f
complete -c tincan -n __tincan_is -s h -l help -d 'show the commands'
complete -c tincan -n __tincan_is -s V -l version -d 'print the version'
complete -c tincan -n __tincan_is -a help -d 'show what a command takes'
complete -c tincan -n '__tincan_is help next' -a '${names}'
${commands.map(describe).join("")}`;
}

function describe({ name, summary, commands, options, takesFiles }: DescribedCommand): string {
  const lines = [`complete -c tincan -n __tincan_is -a ${name} -d ${quote(summary)}`];
  const when = `complete -c tincan -n '__tincan_is ${name}'`;
  if (commands.length > 0) {
    lines.push(`complete -c tincan -n '__tincan_is ${name} next' -a '${commands.join(" ")}'`);
  }
  if (takesFiles) lines.push(`${when} -F`);
  for (const option of options) lines.push(`${when} ${optionFlags(option)}`);
  return `${lines.join("\n")}\n`;
}

function optionFlags({ name, short, value, summary }: DescribedOption): string {
  const flags = short === undefined ? [`-l ${name}`] : [`-s ${short} -l ${name}`];
  if (value === "file" || value === "folder") flags.push("-r -F");
  else if (value === "text") flags.push("-x");
  else if (value !== "none") flags.push(`-x -a ${quote(value.join(" "))}`);
  return [...flags, `-d ${quote(summary)}`].join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
