/** Counts the rows that D1 reads for a list, with Parley's own code and without a server. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { getPlatformProxy, unstable_readConfig as readConfig } from "wrangler";
import { database } from "../../src/store/database.ts";
import type { Database } from "../../src/store/database.ts";
import { listFeedback } from "../../src/store/message-feedback.ts";
import type { FeedbackFilter } from "../../src/store/message-feedback.ts";
import type { SessionFilter } from "../../src/store/session-list.ts";
import { listChatbotSessions } from "../../src/store/session-list.ts";
import { PARLEY_CONFIG } from "./servers.ts";
import { ROOT } from "./wrangler.ts";

/** A list of sessions, or the first page of one of feedback. */
export type ListQuery = { filter: Partial<SessionFilter>; skip: number } | { feedback: Partial<FeedbackFilter> };

const ALL_FEEDBACK: FeedbackFilter = {
  rating: null,
  chatbotId: null,
  clientId: null,
  tag: null,
  from: null,
  before: null,
};

const NO_FILTER: SessionFilter = {
  search: null,
  status: null,
  chatbotId: null,
  clientId: null,
  handler: null,
  clientMustExist: null,
  from: null,
  before: null,
};

/** The default length of a page. */
const PAGE = 10;

/** No server may run on this state. @returns the rows that D1 reports for each list */
export async function countRowsRead(state: string, lists: ListQuery[]): Promise<number[]> {
  const configPath = writeDatabaseConfig(join(state, "wrangler.json"));
  const persist = { path: join(state, "v3") };
  const proxy = await getPlatformProxy<{ DB: D1Database }>({ configPath, persist });
  try {
    const counts: number[] = [];
    for (const list of lists) {
      let count = 0;
      const db = database(withRowCounter(proxy.env.DB, (rows) => (count += rows)));
      await readList(db, list);
      counts.push(count);
    }
    return counts;
  } finally {
    await proxy.dispose();
  }
}

function readList(db: Database, list: ListQuery): Promise<unknown> {
  if ("feedback" in list) return listFeedback(db, { ...ALL_FEEDBACK, ...list.feedback }, { limit: PAGE, skip: 0 });
  const filter = { ...NO_FILTER, ...list.filter };
  return listChatbotSessions({ db, archive: null }, filter, { limit: PAGE, skip: list.skip });
}

/** Writes a wrangler configuration with the database and without Durable Objects, which need a server. @returns its path */
function writeDatabaseConfig(path: string): string {
  const { name, compatibility_date, d1_databases } = readConfig({ config: join(ROOT, PARLEY_CONFIG) });
  writeFileSync(path, JSON.stringify({ name, compatibility_date, d1_databases }));
  return path;
}

/** A D1 binding that reports the rows read by each batch. Lists use batches only. */
function withRowCounter(binding: D1Database, read: (rows: number) => void): D1Database {
  const counting: Pick<D1Database, "prepare" | "batch"> = {
    prepare: (query) => binding.prepare(query),
    async batch<T>(statements: D1PreparedStatement[]) {
      const results = await binding.batch<T>(statements);
      for (const { meta } of results) read(meta.rows_read);
      return results;
    },
  };
  return counting as D1Database;
}
