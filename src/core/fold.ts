/**
 * The form in which texts are compared for search: two texts that look the same, or differ in case only, have the same one.
 * It is stored beside a text, so that the database can search it. Pure.
 */

/**
 * Which rules {@link foldText} follows. Stored with what it made. After a change of the rules, raise this and run
 * `npm run migration`: rows of an older version are then found and folded again.
 */
export const FOLD_VERSION = 2;

/**
 * Text in Unicode's form NFKC_Casefold, in which composed and decomposed letters are the same, and full-width and narrow
 * ones, ligatures and their letters, capital and small letters; what is never visible is left out. The Turkish `İ` and
 * `ı` count as `i` too. https://www.unicode.org/versions/latest/core-spec/chapter-3/ (Default Caseless Matching)
 *
 * A part of a text folds to a part of the folded text, unless NFKC joins what stands on both sides of the cut: an accent
 * cut from its letter (`e` is no part of `é`, however it was written), or a Hangul syllable cut between its letters.
 */
export function foldText(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const composed = text.replace(INVISIBLE, "").normalize("NFKC");
  // A change of case decomposes some letters, such as `ǰ`, so the result is composed again.
  return foldCase(composed).replace(DOTTED_I, "i").normalize("NFKC");
}

const ASCII = /^[\0-\x7f]*$/;

/** Soft hyphens, joiners, variation selectors, marks of direction. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** What `İ` becomes in lower case: it looks like an `i`. */
const DOTTED_I = /i\u0307+/g;

/**
 * Code point by code point: a rule for whole words, such as that of the Greek final sigma, would fold a part otherwise.
 * By way of upper case, where `ß`, `ς` and `ſ` become the letters that they count as; `ẞ` has to be in lower case first.
 */
function foldCase(text: string): string {
  let folded = "";
  for (const character of text) folded += character.toLowerCase().toUpperCase().toLowerCase();
  return folded;
}
