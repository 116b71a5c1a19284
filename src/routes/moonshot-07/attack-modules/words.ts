/**
 * Splits a prompt into words and joins words to a text, by the conventions of the Penn Treebank: punctuation and clitics
 * such as `n't` are words of their own, quotation marks are `` and ''. Moonshot's modules change words by their place, so
 * the same places must have the same words. Pure.
 */

/** Marks that are always a word of their own; and `:` and `,` unless a digit follows; and several periods. */
const MARKS = /(\.{2,}|--|''|`+|[;@#$%&?!*()[\]{}<>"«“‘„»”’]|[:,](?!\d))/;

/** What is cut off the end of a word. */
const CLITIC = /^(.*[^'])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T|'[sSmMdD]|')$/s;
const IS_CLITIC = /^('ll|'LL|'re|'RE|'ve|'VE|n't|N'T|'[sSmMdD]|')$/;

/** Two words that are written as one. */
const CONTRACTION =
  /^(can(?=not$)|d(?='ye$)|gim(?=me$)|gon(?=na$)|got(?=ta$)|lem(?=me$)|more(?='n$)|wan(?=na$)|'t(?=is$|was$))(.+)$/i;

/** Short forms whose period does not end a sentence. A single letter is one too. */
const ABBREVIATION = /(^|[^\p{L}])(\p{L}|mr|mrs|ms|dr|prof|st|jr|sr|vs|inc|ltd|co|e\.g|i\.e|etc)$/iu;

export const splitWords = (text: string): string[] => sentencesOf(text).flatMap(wordsOf);

/** A period, and what closes with it, before a blank and what can begin a sentence. */
function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const { index, 0: end } of text.matchAll(/[.?!]["')\]}»”’]*(?=\s+["'([{«“‘]*[\p{Lu}\p{N}])/gu)) {
    if (end.startsWith(".") && ABBREVIATION.test(text.slice(Math.max(start, index - 8), index))) continue;
    sentences.push(text.slice(start, index + end.length));
    start = index + end.length;
  }
  return [...sentences, text.slice(start)];
}

/** The words of a sentence. Only its last period is a word of its own. */
function wordsOf(sentence: string): string[] {
  const trimmed = sentence.trim();
  const [, before = trimmed, period = "", closing = ""] = /^(.*[^.])(\.)([\])}>"'»”’]*)$/s.exec(trimmed) ?? [];
  return [...wordsBefore(before), ...(period === "" ? [] : [period]), ...wordsBefore(closing)];
}

const wordsBefore = (text: string): string[] =>
  text
    .split(/\s+/)
    .filter((chunk) => chunk !== "")
    .flatMap(partsOf);

function partsOf(chunk: string): string[] {
  const pieces = chunk.split(MARKS).filter((piece) => piece !== "");
  return pieces.flatMap((piece, index) => {
    if (piece === '"' || piece === "''") return [opens(pieces[index - 1]) ? "``" : "''"];
    return MARKS.test(piece) ? [piece] : withoutClitic(piece);
  });
}

/** Whether a quotation mark after this opens a quotation. */
const opens = (before: string | undefined): boolean => before === undefined || /[([{<]$/.test(before);

function withoutClitic(piece: string): string[] {
  const [, word = piece, clitic] = CLITIC.exec(piece) ?? [];
  const [, first, second] = CONTRACTION.exec(word) ?? [];
  const words = first !== undefined && second !== undefined ? [first, second] : [word];
  return clitic === undefined ? words : [...words, clitic];
}

/** A text of words, as one writes it: with a blank between two words, but for marks and clitics. */
export function joinWords(words: readonly string[]): string {
  let text = "";
  for (const [index, word] of words.entries()) {
    const before = words[index - 1];
    const isLast = word === "." ? index === lastPeriod(words) : index === words.length - 1;
    text += before === undefined || isAttached(before, word, isLast) ? word : ` ${word}`;
  }
  return text.replaceAll(/``|''/g, '"').trim();
}

/** The place of a period that ends the text, before what closes with it. */
function lastPeriod(words: readonly string[]): number {
  const index = words.findLastIndex((word) => !/^[\])}>"']+$/.test(word));
  return words[index] === "." ? index : -1;
}

const isAttached = (before: string, word: string, isLast: boolean): boolean =>
  (word === "." && isLast && !before.endsWith(".")) ||
  (word === "..." && !isLast) ||
  attachesToNext(before) ||
  attachesToPrevious(before, word) ||
  isContraction(before, word);

const attachesToNext = (word: string): boolean => /([([{<#$]|``)$|^(--|\.\.\.)$/.test(word);

const attachesToPrevious = (before: string, word: string): boolean =>
  /^([?!;%:,\])}>]|''|--$)/.test(word) || (IS_CLITIC.test(word) && !before.endsWith("'"));

/** A module may have put a mark before the first of both. */
function isContraction(before: string, word: string): boolean {
  // The first of two is never longer than four characters.
  const [end = ""] = /[\w']+$/.exec(before.slice(-5)) ?? [];
  return end !== "" && CONTRACTION.exec(end + word)?.[1] === end;
}
