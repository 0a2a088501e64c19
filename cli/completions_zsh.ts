/** Completions for zsh. @module */
import type { DescribedCommand, DescribedOption, OptionValue } from "./described.ts";

/** The script for zsh: to be read with `eval`, or a file `_tincan` in the `fpath`. */
export function zshCompletions(commands: readonly DescribedCommand[]): string {
  const list = [...commands, { name: "help", summary: "show what a command takes" }];
  return `#compdef tincan
# Completions of tincan for zsh: eval "$(tincan completions zsh)"
_tincan() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[show the commands]' '(- *)'{-V,--version}'[print the version]' \\
    '1: :->command' '*:: :->rest'
  case $state in
    command)
      local -a commands=(
${list.map(({ name, summary }) => `        ${quote(`${name}:${summary}`)}`).join("\n")}
      )
      _describe command commands
      ;;
    rest)
      case $line[1] in
        help) _arguments '1:command:(${commands.map(({ name }) => name).join(" ")})' ;;
${commands.map(branch).join("\n")}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _tincan ]]; then
  _tincan "$@"
else
  compdef _tincan tincan
fi
`;
}

function branch({ name, commands, options, takesFiles }: DescribedCommand): string {
  const specs = options.flatMap(optionSpecs);
  if (commands.length > 0) specs.push(quote(`1:command:(${commands.join(" ")})`));
  if (takesFiles) specs.push("'*:file:_files'");
  return `        ${name})
          _arguments \\
            ${specs.join(" \\\n            ")}
          ;;`;
}

function optionSpecs({ name, short, value, summary }: DescribedOption): string[] {
  const text = `[${summary.replace(/[[\]\\]/g, "\\$&")}]${action(name, value)}`;
  const names = short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
  return names.map((spelling) => quote(`*${spelling}${text}`));
}

function action(name: string, value: OptionValue): string {
  if (value === "none") return "";
  if (value === "file") return `:${name}:_files`;
  if (value === "folder") return `:${name}:_files -/`;
  return value === "text" ? `:${name}: ` : `:${name}:(${value.join(" ").replaceAll(":", "\\:")})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
