/**
 * Which writing systems a name is written in, and whether they may stand side by side: Unicode's
 * technical standard 39, section 5.2, "highly restrictive". The scripts are those of Unicode's annex 31,
 * tables 5 and 7: recommended, and in limited use. Historic scripts have blank and look-alike glyphs,
 * and no one is called so.
 *
 * @module
 */

const LIVING = [
  // Recommended.
  ...["Latin", "Greek", "Cyrillic", "Arabic", "Armenian", "Bengali", "Bopomofo", "Devanagari"],
  ...["Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Han", "Hangul", "Hebrew", "Hiragana"],
  ...["Kannada", "Katakana", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil"],
  ...["Telugu", "Thaana", "Thai", "Tibetan"],
  // In limited use.
  ...["Adlam", "Balinese", "Bamum", "Batak", "Canadian_Aboriginal", "Chakma", "Cham", "Cherokee"],
  ...["Hanifi_Rohingya", "Javanese", "Kayah_Li", "Lepcha", "Limbu", "Lisu", "Mandaic"],
  ...["Meetei_Mayek", "Miao", "Mongolian", "New_Tai_Lue", "Newa", "Nko", "Nyiakeng_Puachue_Hmong"],
  ...["Ol_Chiki", "Osage", "Saurashtra", "Sundanese", "Syloti_Nagri", "Syriac", "Tai_Le"],
  ...["Tai_Tham", "Tai_Viet", "Tifinagh", "Vai", "Wancho", "Yi"],
];

/** Scripts that are one writing system together: Japanese, Chinese with its phonetic signs, Korean. */
const TOGETHER = [
  ["Latin", "Han", "Hiragana", "Katakana"],
  ["Latin", "Han", "Bopomofo"],
  ["Latin", "Han", "Hangul"],
];

const SYSTEMS = [...TOGETHER, ...LIVING.map((script) => [script])];
/** Each pattern is made when it is first needed: most names are ASCII, and most others in few scripts. */
const patterns = new Map<string, RegExp>();

/**
 * Says why a name mixes writing systems.
 *
 * @returns The reason as a part of a sentence; `undefined` if the name does not mix them.
 */
export function mixedScripts(name: string): string | undefined {
  if (isAscii(name) || isOf(name, [])) return undefined;
  const used = LIVING.filter((one) => pattern(script(one)).test(name));
  const fitting = SYSTEMS.filter((scripts) => used.every((one) => scripts.includes(one)));
  if (fitting.some((scripts) => isOf(name, scripts))) return undefined;
  if (!isLiving(name)) return "the name has characters of a script that is not in use today";
  return used.length > 1
    ? `the name mixes ${used.join(" and ").replaceAll("_", " ")} letters`
    : "the name mixes signs of several scripts";
}

/** Whether a text is ASCII, as most names are: then no table is needed. */
export function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}

/** Whether a text has no characters of historic scripts. */
export function isLiving(text: string): boolean {
  return pattern(`^[${["Common", "Inherited", ...LIVING].map(script).join("")}]*$`).test(text);
}

/** Whether all characters are of these scripts, or may be used with them: a digit or a mark can belong
 * to a few scripts only. */
function isOf(name: string, scripts: readonly string[]): boolean {
  const all = ["Common", "Inherited", ...scripts];
  return pattern(`^[${all.map((script) => `\\p{Script_Extensions=${script}}`).join("")}]*$`).test(
    name,
  );
}

function script(name: string): string {
  return `\\p{Script=${name}}`;
}

function pattern(source: string): RegExp {
  let made = patterns.get(source);
  if (made === undefined) patterns.set(source, made = new RegExp(source, "u"));
  return made;
}
