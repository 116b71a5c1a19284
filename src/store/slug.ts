/**
 * Slugs: the ids that endpoints and comparison sessions get from their names, by the rules of python-slugify. Whether an id is
 * free does not belong here. Effects: a query to D1 for a name that is not ASCII.
 * https://github.com/un33k/python-slugify
 */
import type { Database } from "./database.ts";
import { transliterate } from "./transliterations.ts";

// python-slugify decodes HTML entities. Only those that become letters or digits need their character; every other sign becomes a
// dash.
const ACCENTED = /&([A-Za-z])(?:grave|acute|circ|tilde|uml|ring|cedil|caron);/g;
const SIGNS =
  /&(?:amp|lt|gt|quot|nbsp|copy|reg|deg|para|sect|middot|laquo|raquo|ndash|mdash|lsquo|rsquo|ldquo|rdquo|hellip|bull|euro|pound|cent|yen|times|divide);/g;
const DECIMAL = /&#(\d{1,7});/g;
const HEXADECIMAL = /&#x([\da-f]{1,6});/gi;

/** The slug of a name: transliterated to ASCII, in lower case, words joined by dashes. */
export async function slug(db: Database, name: string): Promise<string> {
  return (await transliterate(db, name.replace(/'+/g, "-")))
    .replace(ACCENTED, "$1")
    .replace(SIGNS, "-")
    .replace(DECIMAL, (_, code: string) => character(Number(code)))
    .replace(HEXADECIMAL, (_, code: string) => character(Number.parseInt(code, 16)))
    .normalize("NFKD")
    .toLowerCase()
    .replace(/'+/g, "")
    .replace(/(?<=\d),(?=\d)/g, "")
    .replace(/[\u0300-\u036f]+/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
}

const character = (code: number): string => (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "");
