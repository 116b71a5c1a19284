/**
 * The handlers of `/api/v1/sessions`: each gets input that has been validated and answers as Moonshot 0.7 does. Those that
 * answer alike in `/v1` are in `moonshot-shared/sessions`. Effects: RPC to the object, queries to D1.
 */
import type { Context } from "hono";
import type * as z from "zod";
import type { Failure } from "../../../core/failure.ts";
import { notFound } from "../../../core/failure.ts";
import { nearestName } from "../../../core/unknown-fields.ts";
import { readSession, shownOf } from "../../../live/read-session.ts";
import { sessionStub } from "../../../live/session-client.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure, readerOf } from "../../http/context.ts";
import { idempotencyKeyOf, markReplayed } from "../../http/idempotency.ts";
import { respondWithJsonStream } from "../../http/json-stream.ts";
import { ATTACK_MODULES, isAttackModule, makePrompts } from "../attack-modules/modules.ts";
import { BATCH_SIZE } from "../attack-modules/report.ts";
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

const NO_METRICS: HttpProblem = { reason: "not-supported", message: "Parley has no metrics" };

export async function createSession(c: AppContext, input: z.output<typeof schemas.CreateSession>) {
  if (input.metric !== null) return respondWithProblem(c, NO_METRICS);
  const { attack_module: attackModule } = input;
  if (attackModule !== null && !isAttackModule(attackModule))
    return respondWithProblem(c, attackNotFound(attackModule));
  const session = {
    name: input.name,
    description: input.description,
    endpoints: input.endpoints,
    promptTemplate: input.prompt_template,
    contextStrategy: input.context_strategy,
    previousPrompts: input.cs_num_of_prev_prompts,
    systemPrompt: input.system_prompt,
    attackModule,
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

/** With an attack module, answers the session's id at once; the records follow by events and callbacks. */
export async function prompt(c: AppContext, id: string, input: z.output<typeof schemas.Prompt>) {
  const found = await readSession(readerOf(c), id, "added");
  if (!found) return respondWithProblem(c, sessionNotFound(id));
  const { user_prompt: text, random_seed: seed } = input;
  const { attackModule: module } = found.session;
  if (module === null || !isAttackModule(module)) return promptOnce(c, id, text);
  const series = { contents: makePrompts(module, text, seed), attack: { module, prompt: text } };
  const object = sessionStub(c.env, id);
  const started = await measure(c, "session", object.startSeries({ ...series, key: idempotencyKeyOf(c) }));
  return started.ok ? c.json(id) : respondWithPromptFailure(c, id, started.failure);
}

/** Answers with the new records only: Moonshot's UI adds them to those that it has. */
async function promptOnce(c: AppContext, id: string, text: string) {
  const object = sessionStub(c.env, id);
  const key = idempotencyKeyOf(c);
  const result = await measure(c, "session", object.prompt({ content: text, history: "added", key }));
  if (!result.ok) return respondWithPromptFailure(c, id, result.failure);
  const { session, messages, replayed } = result.value;
  markReplayed(c, replayed);
  return c.json({
    current_runner_id: id,
    current_chats: presentRecords(session, messages, c.env.TIME_ZONE),
    current_batch_size: BATCH_SIZE,
    current_status: "COMPLETED",
  });
}

const respondWithPromptFailure = (c: AppContext, id: string, failure: Failure) =>
  respondWithProblem(c, failure.reason === "session-not-active" ? sessionNotFound(id) : failure);

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

export const setAttackModule = (c: AppContext, id: string, name: string) =>
  isAttackModule(name)
    ? changes.amendSession(c, id, { attackModule: name })
    : respondWithProblem(c, attackNotFound(name));

export async function unsetAttackModule(c: AppContext, id: string, name: string) {
  const found = await readSession(readerOf(c), id, "added");
  const current = found?.session.attackModule ?? null;
  // The nearest known name would be this one.
  if (found && current !== name) return respondWithProblem(c, notFound("attack module", name, current).failure);
  return changes.amendSession(c, id, { attackModule: null });
}

const attackNotFound = (name: string): HttpProblem =>
  notFound("attack module", name, nearestName(name, ATTACK_MODULES)).failure;

export const refuseMetric = (c: AppContext) => respondWithProblem(c, NO_METRICS);
