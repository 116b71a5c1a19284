/** Checks that the endpoints are there, and says which name may be meant. Calls the server. */
import type { ParleyClient } from "../../client/index.ts";
import { NO_RESULT, UserError } from "../program.ts";

/** @throws {@link UserError} for one that is not there */
export async function requireEndpoints(parley: ParleyClient, named: readonly string[]): Promise<void> {
  const known = (await parley.endpoints.list()).map(({ id }) => id);
  const unknown = named.filter((id) => !known.includes(id) && !id.startsWith("chatbot:"));
  if (unknown.length === 0) return;
  const lines = unknown.map((id) => {
    const nearest = known.toSorted((a, b) => distance(id, a) - distance(id, b))[0];
    return `There is no endpoint ${id}.${nearest === undefined ? "" : ` Do you mean ${nearest}?`}`;
  });
  throw new UserError(`${lines.join("\n")}\nThere are: ${known.join(", ") || "none"}`, NO_RESULT);
}

/** Levenshtein's: how many characters to add, remove or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [line, character] of Array.from(a).entries()) {
    const next = [line + 1];
    for (const [index, other] of Array.from(b).entries()) {
      const replaced = (row[index] ?? 0) + Number(character !== other);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
