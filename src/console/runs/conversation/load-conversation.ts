/** Loads one conversation of a run: what was asked, and what each endpoint answered. Calls the network. */
import type { ParleyClient } from "../../../client/index.ts";
import type { ChatRecord, RunResult } from "../../../client/types.ts";

/** Which conversation, and whose answers one wants to see first. */
export interface Place {
  item: string;
  repetition: number;
  endpoint: string;
}

/** One answer with its record. */
export interface Answer {
  result: RunResult;
  /** `null` if its session is gone. */
  record: ChatRecord | null;
}

export interface Conversation {
  /** By turn, then by endpoint. */
  turns: Map<string, Answer>[];
  /** The sessions that it is in, by endpoint: one that failed is asked again in another session. */
  sessions: Map<string, string>;
}

/** As many as the API gives at once. */
const PAGE = 1_000;

export async function loadConversation(api: ParleyClient, runId: string, place: Place): Promise<Conversation> {
  const results = await resultsOf(api, runId, place);
  const ids = [...new Set(results.map(({ session_id: id }) => id))];
  const histories = new Map(await Promise.all(ids.map(async (id) => [id, await recordsOf(api, id)] as const)));
  const turns: Map<string, Answer>[] = [];
  for (const result of results) {
    const records = histories.get(result.session_id)?.[result.chat_id] ?? [];
    const record = records.find(({ chat_record_id: id }) => id === result.chat_record_id) ?? null;
    const turn = (turns[result.turn - 1] ??= new Map());
    turn.set(result.endpoint, { result, record });
  }
  return { turns, sessions: new Map(results.map(({ endpoint, session_id: id }) => [endpoint, id])) };
}

/** The answers of a repetition: an item with many repetitions has more than one call gives. */
async function resultsOf(api: ParleyClient, runId: string, { item, repetition }: Place): Promise<RunResult[]> {
  const found: RunResult[] = [];
  for (let skip = 0; ; skip += PAGE) {
    const { results, total } = await api.runs.results(runId, { item, limit: PAGE, skip });
    found.push(...results.filter((result) => result.repetition === repetition));
    const isPast = (results.at(-1)?.repetition ?? 0) > repetition;
    if (isPast || skip + PAGE >= total) return found;
  }
}

/** A session may have been deleted meanwhile: then the figures are still there. */
async function recordsOf(api: ParleyClient, sessionId: string): Promise<Record<string, ChatRecord[]>> {
  try {
    return (await api.comparisons.history(sessionId)).records;
  } catch {
    return {};
  }
}
