import { sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { transliterations } from "./tables.ts";

/** Transliterates a text to ASCII, character by character. One round trip, or none if the text is ASCII. */
export async function transliterate(db: Database, text: string): Promise<string> {
  const characters = Array.from(text, (character) => ({ character, code: character.codePointAt(0) ?? 0 }));
  const pages = new Set(characters.flatMap(({ code }) => (code < 0x80 ? [] : [code >> 8])));
  if (pages.size === 0) return text;
  const rows = await db
    .select()
    .from(transliterations)
    .where(sql`${transliterations.page} in (select value from json_each(${JSON.stringify([...pages])}))`);
  const readings = new Map(rows.map((row) => [row.page, row.readings]));
  return characters
    .map(({ character, code }) => (code < 0x80 ? character : (readings.get(code >> 8)?.[code & 0xff] ?? "")))
    .join("");
}
