/**
 * The handlers of `/api/v1/sessions`: each gets input that has been validated and answers as Moonshot 0.7 does. Those that
 * answer alike in `/v1` are in `moonshot-shared/sessions`. Effects: RPC to the object, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { readSession, shownOf } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readerOf } from "../../http/context.ts";
import { idempotencyKeyOf, markReplayed } from "../../http/idempotency.ts";
import { respondWithJsonStream } from "../../http/json-stream.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { createSession as createFrom } from "../../moonshot-shared/sessions/create-session.ts";
import * as changes from "../../moonshot-shared/sessions/handlers.ts";
import { sessionNotFound } from "../../moonshot-shared/sessions/session-param.ts";
import { presentSessionResponse } from "./present.ts";
import { presentRecords, streamRecords } from "./records.ts";
import { MAX_PREVIOUS_PROMPTS } from "./schemas.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

const SUCCESS = { success: true } as const;

/** How many records Moonshot sends to its UI at once. */
const BATCH_SIZE = 5;

const NO_METRICS: HttpProblem = { reason: "not-supported", message: "Parley has no metrics" };

export async function createSession(c: AppContext, input: z.output<typeof schemas.CreateSession>) {
  if (input.metric !== null) return respondWithProblem(c, NO_METRICS);
  const session = {
    name: input.name,
    description: input.description,
    endpoints: input.endpoints,
    promptTemplate: input.prompt_template,
    contextStrategy: input.context_strategy,
    previousPrompts: input.cs_num_of_prev_prompts,
    systemPrompt: input.system_prompt,
    attackModule: input.attack_module,
  };
  return createFrom(c, session, (created) => presentSessionResponse(created, c.env.TIME_ZONE, null));
}

export async function getSession(c: AppContext, id: string, withHistory: boolean) {
  const zone = c.env.TIME_ZONE;
  const found = await readSession(readerOf(c), id, withHistory ? "whole" : "added");
  if (!found) return respondWithProblem(c, sessionNotFound(id));
  const { session } = found;
  if (!withHistory) return c.json(presentSessionResponse(session, zone, null));
  const { messages, log, isTruncated } = await shownOf(readerOf(c), found);
  const truncated = isTruncated ? { truncated: true } : {};
  if (log === null)
    return c.json({ ...presentSessionResponse(session, zone, presentRecords(session, messages, zone)), ...truncated });
  return respondWithJsonStream(c, {
    ...presentSessionResponse(session, zone, streamRecords(log, zone)),
    ...truncated,
  });
}

/** Answers with the new records only: Moonshot's UI adds them to those that it has. */
export async function prompt(c: AppContext, id: string, text: string) {
  const object = sessionStub(c.env, id);
  const key = idempotencyKeyOf(c);
  const result = await measure(c, "session", object.prompt({ content: text, history: "added", key }));
  if (!result.ok) {
    const { failure } = result;
    return respondWithProblem(c, failure.reason === "session-not-active" ? sessionNotFound(id) : failure);
  }
  const { session, messages, replayed } = result.value;
  markReplayed(c, replayed);
  return c.json({
    current_runner_id: id,
    current_chats: presentRecords(session, messages, c.env.TIME_ZONE),
    current_batch_size: BATCH_SIZE,
    current_status: "COMPLETED",
  });
}

/**
 * Answers success if there is such a session, and changes nothing. Closing one means only that its UI leaves: it can open
 * the session again.
 */
export async function confirmSession(c: AppContext, id: string) {
  const found = await readSession(readerOf(c), id, "added");
  return found ? c.json(SUCCESS) : respondWithProblem(c, sessionNotFound(id));
}

export async function setContextStrategy(c: AppContext, id: string, name: string, count: string) {
  const previousPrompts = /^\d{1,9}$/.test(count) ? Number(count) : 0;
  if (previousPrompts >= 1 && previousPrompts <= MAX_PREVIOUS_PROMPTS)
    return changes.setContextStrategy(c, id, name, previousPrompts);
  const issue = {
    code: "value_error",
    path: ["num_of_prompt"],
    message: `must be a whole number from 1 to ${MAX_PREVIOUS_PROMPTS}`,
    input: count,
  };
  return respondWithProblem(c, { reason: "invalid-input", in: "path", issues: [issue] });
}

export const setSystemPrompt = (c: AppContext, id: string, text: string) =>
  changes.amendSession(c, id, { systemPrompt: text === "" ? null : text });

export const refuseMetric = (c: AppContext) => respondWithProblem(c, NO_METRICS);
