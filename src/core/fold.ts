/**
 * Text with its letter case taken away, for search that ignores case in every script. Code point by code point, so
 * that a part of a text folds to a part of the folded text: a whole-word rule such as the Greek final sigma would not.
 */
export function foldCase(text: string): string {
  let folded = "";
  for (const character of text) folded += character.toUpperCase().toLowerCase();
  return folded;
}
