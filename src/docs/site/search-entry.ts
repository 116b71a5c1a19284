/** What the index of the search has of a section. It is used on both sides: where pages are made, and in the browser. */

/** A section of a page. */
export interface SearchEntry {
  /** Where it is, with its anchor. */
  id: string;
  page: string;
  heading: string;
  /** The words of it, without code that is longer than a line. */
  text: string;
}
