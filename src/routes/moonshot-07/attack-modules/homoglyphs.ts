/**
 * Characters that look like an ASCII letter, after the Unicode table of confusable characters (UTS #39), as far as they
 * are Latin or belong to no script. Pure.
 */

/** Letters, what each of them looks like, and letters of other scripts whose styled forms look like it. */
const LOOK_ALIKES: readonly (readonly [letters: string, alike: string, styled: string])[] = [
  ["a", "ɑ⍺ａ", "α"],
  ["b", "Ƅ", ""],
  ["c", "ᴄｃ", ""],
  ["e", "℮ꬲｅ", ""],
  ["f", "ſẝꞙꬵ", ""],
  ["g", "ƍɡᶃｇ", ""],
  ["h", "ｈ", ""],
  ["i", "ıɩɪ˛⍳ｉ", "ıι"],
  ["j", "ｊ", ""],
  ["lI", "1|Ɩǀ∣⏽Ｉｌ￨", "Ι1"],
  ["o", "ᴏᴑꬽｏ", "οσ"],
  ["p", "⍴ｐ", "ρ"],
  ["r", "ꭇꭈ", ""],
  ["s", "ƽꜱｓ", ""],
  ["u", "ʋᴜꞟꭎꭒ", "υ"],
  ["v", "ᴠ∨⋁ｖ", "ν"],
  ["w", "ɯᴡ", ""],
  ["x", "×⤫⤬⨯ｘ", ""],
  ["y", "ɣʏᶌỿꭚｙ", "γ"],
  ["z", "ᴢ", ""],
  ["A", "Ａ", "Α"],
  ["B", "ꞴＢ", "Β"],
  ["C", "Ｃ🝌", ""],
  ["E", "⋿Ｅ", "Ε"],
  ["F", "Ꞙ", "Ϝ"],
  ["H", "Ｈ", "Η"],
  ["J", "ꞲＪ", ""],
  ["K", "Ｋ", "Κ"],
  ["M", "Ｍ", "Μ"],
  ["N", "Ｎ", "Ν"],
  ["O", "0Ｏ", "Ο0"],
  ["P", "Ｐ", "Ρ"],
  ["R", "Ʀ", ""],
  ["S", "Ｓ", ""],
  ["T", "⊤⟙Ｔ🝨", "Τ"],
  ["U", "∪⋃", ""],
  ["X", "╳ꞳＸ", "Χ"],
  ["Y", "Ｙ", "Υ"],
  ["Z", "Ｚ𐋵", "Ζ"],
];

/** The blocks of letterlike symbols, number forms and mathematical letters. */
const STYLED_BLOCKS = [
  [0x2100, 0x218f],
  [0x1d400, 0x1d7ff],
] as const;

/** The characters of {@link STYLED_BLOCKS} by the plain character that each is a form of. Made by the first call. */
let styledForms: Map<string, string[]> | null = null;

function makeStyledForms(): Map<string, string[]> {
  const forms = new Map<string, string[]>();
  for (const [first, last] of STYLED_BLOCKS) {
    for (let code = first; code <= last; code++) {
      const form = String.fromCodePoint(code);
      const plain = form.normalize("NFKC");
      forms.set(plain, [...(forms.get(plain) ?? []), form]);
    }
  }
  return forms;
}

/**
 * What a character looks like, in order of code point, itself included. Of a character that is no ASCII letter, and of
 * `m`, which UTS #39 takes for two letters, only itself.
 */
export function lookAlikes(character: string): readonly string[] {
  if (!/^[A-Za-ln-z]$/.test(character)) return [character];
  const [letters, alike, styled] = LOOK_ALIKES.find(([of]) => of.includes(character)) ?? [character, "", ""];
  const forms = (styledForms ??= makeStyledForms());
  const found = Array.from(letters + styled, (plain) => forms.get(plain) ?? []).flat();
  return [...Array.from(letters + alike), ...found].toSorted((one, other) => codeOf(one) - codeOf(other));
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0;

/** The characters of ASCII that look alike. */
const ASCII_GROUPS = [
  ["0", "O"],
  ["1", "I", "l", "|"],
  ["'", "`"],
] as const;

/** The characters of ASCII that a character of ASCII looks like, itself included; none for one beyond ASCII. */
export function asciiLookAlikes(character: string): readonly string[] {
  if ((character.codePointAt(0) ?? 0) > 127) return [];
  return ASCII_GROUPS.find((group) => (group as readonly string[]).includes(character)) ?? [character];
}
