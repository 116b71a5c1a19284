import type { Database } from "../../store/database.ts";
import { transliterate } from "../../store/transliterations.ts";

// Of the named entities only those matter that end up as letters or digits. The rest of HTML 4's become a dash, as any
// other sign does.
const ACCENTED = /&([A-Za-z])(?:grave|acute|circ|tilde|uml|ring|cedil|caron);/g;
const SIGNS =
  /&(?:amp|lt|gt|quot|nbsp|copy|reg|deg|para|sect|middot|laquo|raquo|ndash|mdash|lsquo|rsquo|ldquo|rdquo|hellip|bull|euro|pound|cent|yen|times|divide);/g;
const DECIMAL = /&#(\d{1,7});/g;
const HEXADECIMAL = /&#x([\da-f]{1,6});/gi;

/**
 * A name as python-slugify writes it, which is what Moonshot makes its ids of: romanized, in lower case, words joined by
 * dashes. One round trip if the name is not in ASCII. https://github.com/un33k/python-slugify
 */
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

/** The id of a chat: its endpoint's id, which is a slug, and the session's stamp, joined by underscores throughout. */
export const chatIdOf = (endpointId: string, stamp: string): string => `${endpointId}_${stamp}`.replaceAll("-", "_");
