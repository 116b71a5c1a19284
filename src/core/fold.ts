/**
 * Case folding for search. Two texts that look the same, or differ only in case, have the same folded text. It is
 * stored next to the text so that the database can search it. Pure.
 */

/**
 * Version of the rules of {@link foldText}, stored with each folded text. After a change of the rules, increase it and
 * run `npm run migration`: `store/refold.ts` then folds the rows of older versions again.
 */
export const FOLD_VERSION = 2;

/**
 * Folds a text to Unicode's NFKC_Casefold. Composed and decomposed letters become the same, and so do full-width and
 * narrow letters, ligatures and their letters, and letters in different case. Invisible code points are removed. The
 * Turkish `İ` and `ı` count as `i` too. NUL becomes U+FFFD: SQLite's patterns end at a NUL.
 * https://www.unicode.org/versions/latest/core-spec/chapter-3/ (Default Caseless Matching)
 *
 * A part of a text folds to a part of the folded text, unless NFKC joins the characters on both sides of the cut: an
 * accent cut from its letter (`e` is not a part of `é`, in either spelling), or a Hangul syllable cut between its
 * letters.
 */
export function foldText(text: string): string {
  if (ASCII.test(text)) return text.replaceAll("\0", "\ufffd").toLowerCase();
  const composed = text.replaceAll("\0", "\ufffd").replace(INVISIBLE, "").normalize("NFKC");
  // Changing the case decomposes some letters, such as `ǰ`, so the result is composed again.
  return foldCase(composed).replace(DOTTED_I, "i").normalize("NFKC");
}

const ASCII = /^[\0-\x7f]*$/;

/** Soft hyphens, joiners, variation selectors and direction marks. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** The lower case of `İ`, which looks like an `i`. */
const DOTTED_I = /i\u0307+/g;

/**
 * Folds each code point alone, because a rule for whole words, such as the one for the Greek final sigma, would fold a
 * part of a word differently. Upper case turns `ß`, `ς` and `ſ` into the letters they are compared as; `ẞ` must be in
 * lower case first.
 */
function foldCase(text: string): string {
  let folded = "";
  for (const character of text) folded += character.toLowerCase().toUpperCase().toLowerCase();
  return folded;
}
