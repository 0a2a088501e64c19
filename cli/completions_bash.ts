/** Completions for bash. @module */
import type { DescribedCommand, DescribedOption } from "./described.ts";

/** The script for bash, to be read with `eval`. */
export function bashCompletions(commands: readonly DescribedCommand[]): string {
  const names = commands.map(({ name }) => name);
  return `# Completions of tincan for bash: eval "$(tincan completions bash)"
_tincan() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local commands="" options="" kind=""
  COMPREPLY=()
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" ]]; then
    previous="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${[...names, "help", "--help", "--version"].join(" ")}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help) commands="${names.join(" ")}" ;;
${commands.map(branch).join("\n")}
  esac
  case "$kind" in
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    text) ;;
    words:*) COMPREPLY=($(compgen -W "\${kind#words:}" -- "$current")) ;;
    *)
      if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
      elif [[ $COMP_CWORD -eq 2 && -n $commands ]]; then
        COMPREPLY=($(compgen -W "$commands" -- "$current"))
      elif [[ $kind == operand ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      else
        COMPREPLY=($(compgen -W "$options" -- "$current"))
      fi
      ;;
  esac
}
complete -F _tincan tincan
`;
}

function branch({ name, commands, options, takesFiles }: DescribedCommand): string {
  const lines = [
    `    ${name})`,
    `      commands="${commands.join(" ")}"`,
    `      options="${options.map((option) => `--${option.name}`).join(" ")}"`,
  ];
  if (takesFiles) lines.push("      kind=operand");
  const cases = options.filter(({ value }) => value !== "none").map(optionCase);
  if (cases.length > 0) {
    lines.push('      case "$previous" in', ...cases, "      esac");
  }
  return [...lines, "      ;;"].join("\n");
}

function optionCase({ name, short, value }: DescribedOption): string {
  const kind = typeof value === "string" ? value : `"words:${value.join(" ")}"`;
  const names = short === undefined ? `--${name}` : `--${name} | -${short}`;
  return `        ${names}) kind=${kind} ;;`;
}
