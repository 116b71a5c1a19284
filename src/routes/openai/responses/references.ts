/**
 * Finds the answers that the input of a response refers to by their ids, instead of having their texts. Effects: as reading
 * each of them.
 */
import type { Context } from "hono";
import { hasText } from "../../../core/message.ts";
import type { AppEnv } from "../../http/context.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { unsupported } from "../errors.ts";
import { findResponse } from "./find-response.ts";
import type { InputItem } from "./schemas.ts";

/** Each is read from its own session. */
const MAX_REFERENCES = 100;

/** Puts the answers in the places of their ids. @returns the problem of the first id that is none of an answer */
export async function resolveReferences(c: Context<AppEnv>, items: InputItem[]): Promise<InputItem[] | HttpProblem> {
  const ids = new Set(items.flatMap((item) => idOf(item) ?? []));
  if (ids.size === 0) return items;
  if (ids.size > MAX_REFERENCES) return TOO_MANY;
  const found = await Promise.all([...ids].map(async (id) => [id, await findAnswer(c, id)] as const));
  const answers = new Map(found);
  const missing = items.findIndex((item) => answers.get(idOf(item) ?? "") === null);
  if (missing !== -1)
    return unsupported("unsupported_content", ["input", missing, "id"], "is no id of an answer that is stored");
  return items.map((item) => {
    const content = answers.get(idOf(item) ?? "");
    return content == null ? item : { role: "assistant", content };
  });
}

const TOO_MANY = unsupported("unsupported_content", ["input"], `refers to more than ${MAX_REFERENCES} answers`);

/** The id in a reference; its `type` may be left out. `null` for any other item. */
function idOf({ type, role, id }: InputItem): string | null {
  const isReference = type === "item_reference" || (type == null && role === undefined);
  return isReference ? String(id) : null;
}

/** @returns the text of an answer; `null` if it has none yet, or is not the caller's to read */
async function findAnswer(c: Context<AppEnv>, id: string): Promise<string | null> {
  const found = await findResponse(c, id.replace(/^msg_/, "resp_"));
  return !("reason" in found) && found.last?.reply && hasText(found.last) ? found.last.content : null;
}
