/**
 * The columns of a comparison: one for each chat, in the order of the session. A chat that was recorded before comes first and has
 * no endpoint. Pure.
 */
import type { Comparison } from "../../client/types.ts";
import { distinctTitles } from "../shared/distinct-titles.ts";
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
  const known = session.endpoints.map((id) => choices.find((one) => one.id === id));
  // A chatbot may be called like an endpoint, and one endpoint may be asked twice.
  const titles = distinctTitles(session.endpoints.map((id, index) => known[index]?.name ?? id));
  const recorded = session.chat_ids.length - session.endpoints.length;
  return session.chat_ids.map((chatId, index) => {
    const endpoint = session.endpoints[index - recorded];
    if (endpoint === undefined) return { chatId, endpoint: null, ...RECORDED };
    const { name = endpoint, detail = "", prices = null } = known[index - recorded] ?? {};
    const title = titles[index - recorded] ?? name;
    return { chatId, endpoint, title, detail: detail === name ? "" : detail, prices, isRecorded: false };
  });
}
