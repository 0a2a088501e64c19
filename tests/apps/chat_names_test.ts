/** The table of characters that look alike, and what is made of it. */
import shipped from "../../apps/chat/_confusables.json" with { type: "json" };
import { skeleton } from "../../apps/chat/_skeleton.ts";
import { checkChatName } from "../../apps/chat/names.ts";
import { confusables } from "../../tools/confusables.ts";
import { assert, assertEquals } from "@std/assert";
import table from "unhomoglyph/data.json" with { type: "json" };

Deno.test("the table is what the tool makes of Unicode's", () => {
  assertEquals<Record<string, string>>(shipped, confusables());
});

Deno.test("every pair of Unicode's table that names can have looks alike", () => {
  let pairs = 0;
  for (const [character, prototype] of Object.entries<string>(table)) {
    if (!isPlain(character) || !isPlain(prototype)) continue;
    const [one, other] = [`a${character}`, `a${prototype}`].map((name) => checkChatName(name, 32));
    if (!one?.ok || !other?.ok) continue;
    pairs++;
    assert(one.looks.some((look) => other.looks.includes(look)), `${character} and ${prototype}`);
  }
  assert(pairs > 300, `only ${pairs} pairs`);
});

Deno.test("a name is brought into one form, and its key is that of its other spellings", () => {
  const zoe = checkChatName("  Zoe\u0308 ", 32);
  const capitals = checkChatName("ZO\u00cb", 32);
  assert(zoe.ok && capitals.ok);
  assertEquals([zoe.name, zoe.key], ["Zo\u00eb", capitals.key]);
  assertEquals(checkChatName(" \u3000 ", 32), { ok: false, reason: "the name is empty" });
  assertEquals(checkChatName("four", 3).ok, false);
});

Deno.test("a skeleton is its own skeleton", () => {
  for (const prototype of new Set(Object.values<string>(table))) {
    const made = skeleton(prototype.normalize("NFKC"));
    assertEquals(skeleton(made), made, JSON.stringify(prototype));
  }
});

/** Whether the text comes to the table as it is: NFKC makes names the same, NFD comes before the table. */
function isPlain(text: string): boolean {
  return text.normalize("NFKC") === text && text.normalize("NFD") === text;
}
