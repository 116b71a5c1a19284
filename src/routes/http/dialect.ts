/**
 * What a dialect provides, so that code for all dialects can answer in its form without knowing it. Each dialect is an
 * object in its own folder; `app.ts` lists them. Nothing of a particular dialect belongs in `routes/http`.
 *
 * In this folder: what all dialects share. `authenticate`, `cors`, `rate-limits` and `idempotency` are middleware in
 * the order of `app.ts`; `validate` and `fields` read input; `problem` says how a call fails; `subscribe` opens streams
 * and sockets.
 */
import type { Context } from "hono";
import type { Session } from "../../core/session.ts";
import type { TurnSeriesReport } from "../../core/turn.ts";
import type { HttpProblem } from "./problem.ts";

export interface Dialect {
  /** The first segment of its paths, with its slash. `""` for the one that has all other paths. */
  prefix: string;
  respondWithProblem: (c: Context, problem: HttpProblem) => Response;
  /** The status of the answer to an invalid body or query. */
  invalidInputStatus: 400 | 422;
  /**
   * The kind of session that it creates, and the JSON of such a session for subscribers, without messages. `null` when
   * another dialect shows its sessions to subscribers.
   */
  sessions: { kind: Session["kind"]; present: (session: Session, zone: string) => Record<string, unknown> } | null;
  /** How it reports the prompts of an attack module to a client that is called back. */
  reportTurns?: (session: Session, env: Env) => TurnSeriesReport;
}

/** The dialect of a path. The last one has every path that no other has. */
export function dialectOf(dialects: readonly Dialect[], path: string): Dialect {
  const dialect = dialects.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`)) ?? dialects.at(-1);
  if (!dialect) throw new Error("The app has no dialect");
  return dialect;
}

/** The JSON of a session for its subscribers, in the dialect in which it was created. */
export const sessionPresenter =
  (dialects: readonly Dialect[]) =>
  (session: Session, zone: string): Record<string, unknown> =>
    dialects.find(({ sessions }) => sessions?.kind === session.kind)?.sessions?.present(session, zone) ?? {};

/** Reports a series of turns in the one dialect that does. */
export const turnReporter =
  (dialects: readonly Dialect[]) =>
  (session: Session, env: Env): TurnSeriesReport =>
    dialects.find(({ reportTurns }) => reportTurns)?.reportTurns?.(session, env) ?? {
      add: () => undefined,
      end: async () => undefined,
    };
