/** Lists comparison sessions, in the form of either of Moonshot's APIs. Effects: queries to D1. */
import type { Context } from "hono";
import type { Session } from "../../../core/session.ts";
import { fitTexts } from "../../../store/fit-list.ts";
import { listComparisonSessions } from "../../../store/session-list.ts";
import type { AppEnv } from "../../http/context.ts";
import { readFromReplica } from "../../http/context.ts";

interface Page {
  limit: number;
  skip: number;
  /** The run whose conversations to list. */
  run_id?: string | undefined;
}

/** Answers a page of the list, newest first, with a link to the next one. */
export async function respondWithSessions(
  c: Context<AppEnv>,
  { limit, skip, run_id: runId }: Page,
  present: (session: Session) => object | string,
) {
  // One more than the page shows whether there is a next page.
  const sessions = await readFromReplica(c, (db) =>
    listComparisonSessions(db, { limit: limit + 1, skip }, runId ?? null),
  );
  const page = fitTexts(sessions.slice(0, limit).map(present));
  const next = nextPage(c.req.url, limit, skip + page.length);
  if (sessions.length > page.length) c.header("link", `<${next}>; rel="next"`);
  return c.json(page);
}

export function nextPage(url: string, limit: number, skip: number): string {
  const next = new URL(url);
  next.searchParams.set("limit", String(limit));
  next.searchParams.set("skip", String(skip));
  return next.pathname + next.search;
}
