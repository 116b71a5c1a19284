/** Reads the examples of a guide, so that tests run them as printed. */
import { readFileSync } from "node:fs";

const GUIDES = new URL("../../src/docs/", import.meta.url).pathname;

/** @returns the blocks of code in a language, in order */
export function examplesOf(guide: string, language: string): string[] {
  const text = readFileSync(`${GUIDES}${guide}`, "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map(([, code = ""]) => code);
}
