/**
 * Reads the statistics that triggers keep for each chatbot and each client. What counts how is in `migrations/`, in the
 * files of these triggers. Effects: D1.
 */
import { and, eq, isNull } from "drizzle-orm";
import { toConversationStatistics } from "../core/conversation-statistics.ts";
import type {
  ConversationStatistics,
  DayRange,
  StatisticsCount,
  StatisticsScope,
  StatisticsSums,
} from "../core/conversation-statistics.ts";
import type { Database } from "./database.ts";
import { toStatement } from "./database.ts";
import { chatbots, clients } from "./tables.ts";

const sum = (column: string) => `coalesce(sum(${column}), 0)`;

const SUMS = `SELECT ${sum("sessions")} AS sessions, ${sum("turns")} AS turns, ${sum("messages")} AS messages,
    ${sum("ok")} AS ok, ${sum("cancelled")} AS cancelled, ${sum("takeovers")} AS takeovers,
    ${sum("input_tokens")} AS inputTokens, ${sum("output_tokens")} AS outputTokens, sum(cost) AS cost,
    ${sum("rated_up")} AS ratedUp, ${sum("rated_down")} AS ratedDown,
    min(duration_min) AS durationMin, max(duration_max) AS durationMax,
    min(first_text_min) AS firstTextMin, max(first_text_max) AS firstTextMax
  FROM daily_statistics WHERE scope = ?1 AND id = ?2 AND day BETWEEN ?3 AND ?4`;

const countsIn = (column: string, kind: StatisticsCount["kind"]) =>
  `SELECT '${kind}' AS kind, counted.key, sum(counted.value) AS count
    FROM daily_statistics AS days CROSS JOIN json_each(days.${column}) AS counted
    WHERE days.scope = ?1 AND days.id = ?2 AND days.day BETWEEN ?3 AND ?4 GROUP BY counted.key`;

/** Some hundred rows, however many days. */
const COUNTS = [
  countsIn("errors", "error"),
  countsIn("durations", "duration"),
  countsIn("first_texts", "firstText"),
].join(" UNION ALL ");

const TABLES = { chatbot: chatbots, client: clients } as const;

/** What happened on some days. One round trip. `null` if there is no such chatbot or client, or if it is deleted. */
export async function readStatistics(
  db: Database,
  scope: StatisticsScope,
  id: string,
  { first, last }: DayRange,
): Promise<ConversationStatistics | null> {
  const table = TABLES[scope];
  const exists = db
    .select({ id: table.id })
    .from(table)
    .where(and(eq(table.id, id), isNull(table.deletedAt)));
  const bind = (query: string) => db.$client.prepare(query).bind(scope, id, first, last);
  const [found, sums, counts] = await db.$client.batch([toStatement(db, exists), bind(SUMS), bind(COUNTS)]);
  const [row] = (sums?.results ?? []) as StatisticsSums[];
  if (!row || found?.results.length !== 1) return null;
  return toConversationStatistics(row, (counts?.results ?? []) as StatisticsCount[]);
}
