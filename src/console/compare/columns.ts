/**
 * The columns of a comparison: one for each chat, in the order of the session. A chat that was recorded before comes first and has
 * no endpoint. Pure.
 */
import type { Comparison, Endpoint } from "../../client/types.ts";

export interface Column {
  chatId: string;
  /** Differs from that of every other column, also when an endpoint is asked twice. */
  title: string;
  detail: string;
  prices: Endpoint["prices"];
}

export function columnsOf(session: Comparison | null, endpoints: Endpoint[]): Column[] {
  if (!session) return [];
  const counts = new Map<string, number>();
  const recorded = session.chat_ids.length - session.endpoints.length;
  return session.chat_ids.map((chatId, index) => {
    const id = session.endpoints[index - recorded] ?? chatId;
    const number = (counts.get(id) ?? 0) + 1;
    counts.set(id, number);
    const endpoint = endpoints.find((one) => one.id === id);
    return {
      chatId,
      title: `${endpoint?.name ?? id}${number > 1 ? ` (${number})` : ""}`,
      detail: endpoint ? detailOf(endpoint) : "",
      prices: endpoint?.prices ?? null,
    };
  });
}

/** The model, if that says more than the name. */
function detailOf({ name, model, connector_type: type }: Endpoint): string {
  const detail = model || type.replace(/-connector$/, "");
  return detail === name ? "" : detail;
}
