import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { getPlatformProxy, unstable_readConfig as readConfig } from "wrangler";
import { database } from "../../src/store/database.ts";
import type { SessionFilter } from "../../src/store/session-list.ts";
import { listChatbotSessions } from "../../src/store/session-list.ts";
import { PARLEY_CONFIG } from "./servers.ts";
import { ROOT } from "./wrangler.ts";

/** A list that can be asked for. */
export interface Listed {
  filter: Partial<SessionFilter>;
  skip: number;
}

const NO_FILTER: SessionFilter = {
  search: null,
  status: null,
  chatbotId: null,
  clientId: null,
  from: null,
  before: null,
};

/** The length of a page unless a caller asks for another. */
const PAGE = 10;

/** Asks for lists as Parley does, by its own code, while no server runs. @returns how many rows D1 says it read for each */
export async function rowsRead(state: string, lists: Listed[]): Promise<number[]> {
  const configPath = databaseOnly(join(state, "wrangler.json"));
  const persist = { path: join(state, "v3") };
  const proxy = await getPlatformProxy<{ DB: D1Database }>({ configPath, persist });
  try {
    const counts: number[] = [];
    for (const { filter, skip } of lists) {
      let count = 0;
      const binding = metered(proxy.env.DB, (rows) => (count += rows));
      await listChatbotSessions(database(binding), { ...NO_FILTER, ...filter }, { limit: PAGE, skip });
      counts.push(count);
    }
    return counts;
  } finally {
    await proxy.dispose();
  }
}

/** Writes a configuration with Parley's database and without its objects, which have no use outside a server. */
function databaseOnly(path: string): string {
  const { name, compatibility_date, d1_databases } = readConfig({ config: join(ROOT, PARLEY_CONFIG) });
  writeFileSync(path, JSON.stringify({ name, compatibility_date, d1_databases }));
  return path;
}

/** A binding that tells of every batch how many rows it read. Lists are read in batches only. */
function metered(binding: D1Database, read: (rows: number) => void): D1Database {
  const used: Pick<D1Database, "prepare" | "batch"> = {
    prepare: (query) => binding.prepare(query),
    async batch<T>(statements: D1PreparedStatement[]) {
      const results = await binding.batch<T>(statements);
      for (const { meta } of results) read(meta.rows_read);
      return results;
    },
  };
  return used as D1Database;
}
