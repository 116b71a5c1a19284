/**
 * The columns of a comparison: one for each chat, in the order of the session. A chat that was recorded before comes first and has
 * no endpoint. Pure.
 */
import type { Comparison } from "../../client/types.ts";
import type { Choice } from "./setup/choices.ts";

export interface Column {
  chatId: string;
  /** The id of who is asked; `null` for the recorded answers. */
  endpoint: string | null;
  /** Differs from that of every other column, also when an endpoint is asked twice. */
  title: string;
  /** The model, if that says more than the name. */
  detail: string;
  prices: Choice["prices"];
  /** Whether these are the answers of the chat that the comparison was made from. Nobody is asked for them. */
  isRecorded: boolean;
}

const RECORDED = { title: "Recorded", detail: "in the chat", prices: null, isRecorded: true };

/** @param choices what can be compared, as far as it is known */
export function columnsOf(session: Comparison | null, choices: Choice[]): Column[] {
  if (!session) return [];
  const counts = new Map<string, number>();
  const recorded = session.chat_ids.length - session.endpoints.length;
  return session.chat_ids.map((chatId, index) => {
    const id = session.endpoints[index - recorded];
    if (id === undefined) return { chatId, endpoint: null, ...RECORDED };
    const { name = id, detail = "", prices = null } = choices.find((one) => one.id === id) ?? {};
    // A chatbot may be called like an endpoint.
    const number = (counts.get(name) ?? 0) + 1;
    counts.set(name, number);
    const title = `${name}${number > 1 ? ` (${number})` : ""}`;
    return { chatId, endpoint: id, title, detail: detail === name ? "" : detail, prices, isRecorded: false };
  });
}
