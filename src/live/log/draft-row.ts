/** The row of drafts: the texts of a turn's running replies as JSON. Pure. */
import { Buffer } from "node:buffer";
import { MAX_ROW_BYTES } from "../../core/message.ts";

/** In JSON and UTF-8, a UTF-16 code unit takes from one byte to six, which a control character has. */
const BYTES_PER_CODE_UNIT = [2, 3, 6];

type Texts = readonly (readonly [chatId: string, text: string])[];

/** JSON of the texts by chat. If they do not fit into a row, each is cut to the same length. */
export function toDraftRow(texts: ReadonlyMap<string, string>): string {
  const all: Texts = [...texts];
  const characters = all.reduce((total, [, text]) => total + text.length, 0);
  const whole = characters <= MAX_ROW_BYTES ? toFittingRow(all) : null;
  if (whole !== null) return whole;
  const withoutTexts = Buffer.byteLength(JSON.stringify(all.map(([chatId]) => [chatId, ""])));
  const share = (MAX_ROW_BYTES - withoutTexts) / all.length;
  for (const bytes of BYTES_PER_CODE_UNIT) {
    const cut = toFittingRow(all.map(([chatId, text]) => [chatId, text.slice(0, Math.floor(share / bytes))]));
    if (cut !== null) return cut;
  }
  return "[]";
}

/** @returns `null` if it does not fit */
function toFittingRow(texts: Texts): string | null {
  const row = JSON.stringify(texts);
  // Only a row that may be too long is measured: a code unit of JSON takes three bytes at most.
  return row.length * 3 <= MAX_ROW_BYTES || Buffer.byteLength(row) <= MAX_ROW_BYTES ? row : null;
}

export const fromDraftRow = (json: string): Map<string, string> => new Map(JSON.parse(json) as [string, string][]);
