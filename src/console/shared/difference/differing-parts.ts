/** What differs between two texts, word by word. Pure. */
import { diffWordsWithSpace } from "diff";

export interface Part {
  value: string;
  added: boolean;
  removed: boolean;
}

/** Texts that share almost nothing take too long to compare, and nobody reads the outcome. */
const TIMEOUT_MS = 500;

/** @returns the parts in their order; `null` if they differ in too much */
export const differingParts = (before: string, after: string): Part[] | null =>
  diffWordsWithSpace(before, after, { timeout: TIMEOUT_MS }) ?? null;
