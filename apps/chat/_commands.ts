/** What a line means: a message or a command. @module */

/** A line, understood. */
export type ChatCommand =
  | { readonly kind: "say" | "act" | "quit"; readonly text: string }
  | { readonly kind: "tell"; readonly to: string; readonly text: string }
  | { readonly kind: "who" | "help" | "nothing" }
  | { readonly kind: "wrong"; readonly answer: string };

/** What `/help` answers. */
export const HELP: readonly string[] = [
  "/who             who is here",
  "/me TEXT         say what you do: /me waves",
  "/msg NAME TEXT   say it to one person only",
  "/quit [TEXT]     leave",
  "/help            this text",
  "//TEXT           say a line that begins with /",
];

/** Understands one line of printable text. */
export function parseCommand(line: string): ChatCommand {
  const text = line.trimEnd();
  if (text.trimStart() === "") return { kind: "nothing" };
  if (!text.startsWith("/")) return { kind: "say", text };
  if (text.startsWith("//")) return { kind: "say", text: text.slice(1) };
  const [, word = "", rest = ""] = /^\/(\S*)\s*(.*)$/su.exec(text) ?? [];
  switch (word.toLowerCase()) {
    case "who":
    case "help":
      return { kind: word.toLowerCase() as "who" | "help" };
    case "quit":
      return { kind: "quit", text: rest };
    case "me":
      return rest === "" ? wrong("/me needs a text: /me waves") : { kind: "act", text: rest };
    case "msg": {
      const [, to = "", said = ""] = /^(\S+)\s+(.+)$/su.exec(rest) ?? [];
      if (to === "") return wrong("/msg needs a name and a text: /msg NAME TEXT");
      return { kind: "tell", to, text: said };
    }
    default:
      return wrong(`There is no command /${word}: /help lists them`);
  }
}

function wrong(answer: string): ChatCommand {
  return { kind: "wrong", answer };
}
