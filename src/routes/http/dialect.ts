/**
 * What a dialect hands in, so that what all dialects share can answer in its form without knowing it. Each is made in its
 * dialect's folder and joined to the app in `app.ts`.
 */
import type { Context, MiddlewareHandler } from "hono";
import type * as z from "zod";
import type { Session } from "../../core/session.ts";
import type { AppEnv } from "./context.ts";
import type { HttpProblem } from "./problem.ts";

export interface Dialect {
  /** Where its paths begin, such as `/v1`. `""` for the one that answers wherever no other does. */
  prefix: string;
  respondWithProblem: (c: Context, problem: HttpProblem) => Response;
  /** The body of a problem's answer, for the OpenAPI document. */
  problemSchema: (httpStatus: number) => z.ZodType;
  /** How a body or a query is answered that does not fit. */
  invalidInputStatus: 400 | 422;
  /** Which sessions are created in it, and how it shows one to its subscribers, without messages. */
  sessions: { kind: Session["kind"]; present: (session: Session, zone: string) => Record<string, unknown> };
}

/** The dialect of a path. The last one answers for what is no other's. */
export function dialectOf(dialects: readonly Dialect[], path: string): Dialect {
  const found = dialects.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`)) ?? dialects.at(-1);
  if (!found) throw new Error("The app has no dialect");
  return found;
}

/** A session as its subscribers are shown it: in the dialect in which it was created. */
export const sessionPresenter =
  (dialects: readonly Dialect[]) =>
  (session: Session, zone: string): Record<string, unknown> =>
    dialects.find(({ sessions }) => sessions.kind === session.kind)?.sessions.present(session, zone) ?? {};

/** Notes the dialect of each call, for all that answers it. */
export const setDialect =
  (dialects: readonly Dialect[]): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    c.set("dialect", dialectOf(dialects, c.req.path));
    await next();
  };
