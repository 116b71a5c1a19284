/**
 * `POST /v1/runs`: makes a run of a body that is read while it comes in. Its items go to the run's object in batches, and
 * lists show the run once everything is valid. Otherwise nothing is left of it. Effects: reads the body, RPC to the object,
 * queries to D1.
 */
import type { Context, MiddlewareHandler } from "hono";
import { MAX_RUN_ANSWERS } from "../../../core/run.ts";
import type { RunItem, RunPlan } from "../../../core/run.ts";
import type { Failure } from "../../../core/failure.ts";
import { now, zonedStamp } from "../../../core/time.ts";
import { sha256Hex } from "../../../crypto/secrets.ts";
import { newRunObjectId, runStub, settingsOf } from "../../../runs/run-client.ts";
import type { RunSettings, RunStub } from "../../../runs/run-client.ts";
import { database } from "../../../store/database.ts";
import { createRun as storeRun } from "../../../store/runs.ts";
import type { StoredRun } from "../../../store/runs.ts";
import { slug } from "../../../store/slug.ts";
import type { AppEnv } from "../../http/context.ts";
import { measure } from "../../http/context.ts";
import { claimCreation, markReplayed, releaseClaim, saveResponseStatements } from "../../http/idempotency.ts";
import { issuesOf } from "../../http/input-issues.ts";
import type { HttpProblem, InputIssue } from "../../http/problem.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { checkNamesExist, newSession } from "../../moonshot-shared/sessions/new-session.ts";
import { attachInput } from "../../openapi/inputs.ts";
import { presentNewRun } from "./present.ts";
import { BodyTooLarge, ItemReader, RUN_BODY_BYTES } from "./read-items.ts";
import type { BodyFormat } from "./read-items.ts";
import * as schemas from "./schemas.ts";

/** How much of items passes in one call, in characters of JSON, and how many. */
const BATCH_CHARACTERS = 1_000_000;
const BATCH_ITEMS = 500;

const FORMATS: Readonly<Record<string, BodyFormat>> = {
  "application/json": "json",
  "application/jsonl": "jsonl",
  "application/x-ndjson": "jsonl",
  "text/csv": "csv",
};

const TAKEN_TYPES = "application/json, application/jsonl or text/csv";

const contentTypeOf = (c: Context): string =>
  (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

/** Checks type and size of the body. The body is read when the caller may do what it asks for. */
const requireBody: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.req.header("content-type") !== undefined && !FORMATS[contentTypeOf(c)])
    return respondWithProblem(c, { reason: "unsupported-media-type", types: TAKEN_TYPES });
  if (Number(c.req.header("content-length") ?? 0) > RUN_BODY_BYTES)
    return respondWithProblem(c, { reason: "body-too-large", maxBytes: RUN_BODY_BYTES });
  return next();
};

export const runBody = attachInput(requireBody, { in: "body", schema: schemas.CreateRun });

export async function createRun(c: Context<AppEnv>, query: object): Promise<Response> {
  const objectId = newRunObjectId(c.env);
  const draft = new RunDraft(runStub(c.env, objectId));
  const made = await makeRun(c, query, draft, objectId);
  if ("run" in made) {
    await draft.stub.start({ runId: made.run.id });
    return c.json(presentNewRun(made.run, made.settings));
  }
  await draft.discard();
  await releaseClaim(c);
  if ("reason" in made) return respondWithProblem(c, made);
  markReplayed(c, true);
  return c.json(made.answer);
}

/** @returns the run, what an earlier call with the same key has answered, or what is wrong */
async function makeRun(
  c: Context<AppEnv>,
  query: object,
  draft: RunDraft,
  objectId: string,
): Promise<{ run: StoredRun; settings: RunSettings } | { answer: object } | HttpProblem> {
  const format = FORMATS[contentTypeOf(c)] ?? "json";
  const reader = new ItemReader(format);
  try {
    for await (const item of reader.read(c.req.raw.body, () => scheduler.wait(0))) await draft.add(item);
  } catch (error) {
    if (error instanceof BodyTooLarge) return { reason: "body-too-large", maxBytes: RUN_BODY_BYTES };
    throw error;
  }
  const fields = fieldsOf(reader, format, query);
  if ("reason" in fields) return fields;
  const claimed = await claimCreation(c, { ...fields, items: await draft.finish() });
  if ("reason" in claimed) return claimed;
  if (claimed.created) return { answer: claimed.created };
  const planned = await planOf(c, fields);
  if ("reason" in planned) return planned;
  await draft.stub.setPlan({ plan: planned });
  return { run: await storeUnderFreeId(c, planned, objectId, reader.turns), settings: settingsOf(planned) };
}

const invalid = (issues: InputIssue[], where: "body" | "query" = "body"): HttpProblem => ({
  reason: "invalid-input",
  in: where,
  issues,
});

/** The fields beside the items, or what is wrong with the body. */
function fieldsOf(reader: ItemReader, format: BodyFormat, query: object): schemas.RunFields | HttpProblem {
  if (reader.issues.length > 0) return invalid(reader.issues);
  const place = format === "json" ? "body" : "query";
  const given = format === "json" ? withoutItems(reader.rest) : query;
  const refused = format === "json" ? (problemOfQuery(query) ?? problemOfItems(given)) : null;
  if (refused) return refused;
  const { data, error } = schemas.RunFields.safeParse(given);
  if (error) return invalid(issuesOf(error.issues, given, { in: place, schema: schemas.CreateRun }), place);
  const message = problemOfSize(reader, data);
  return message === null ? data : invalid([{ code: "value_error", path: ["items"], message }]);
}

function problemOfQuery(query: object): HttpProblem | null {
  const [misplaced] = Object.keys(query);
  if (misplaced === undefined) return null;
  const message = "goes into the body: only JSON Lines and CSV have it in the query";
  return invalid([{ code: "extra_forbidden", path: [misplaced], message }], "query");
}

/** A list of items was read before. */
const problemOfItems = (given: unknown): HttpProblem | null =>
  typeof given === "object" && given !== null && "items" in given
    ? invalid([{ code: "list_type", path: ["items"], message: "must be a list of items" }])
    : null;

/** The items stand in the body, but were read before. */
function withoutItems(rest: unknown): unknown {
  if (typeof rest !== "object" || rest === null || !("items" in rest) || !Array.isArray(rest.items)) return rest;
  const { items: _items, ...fields } = rest;
  return fields;
}

function problemOfSize({ count, turns }: ItemReader, { repeat, endpoints }: schemas.RunFields): string | null {
  if (count === 0) return "must have at least one item";
  const answers = turns * repeat * endpoints.length;
  return answers > MAX_RUN_ANSWERS
    ? `make ${answers} answers: ${turns} prompts, ${repeat} times, to ${endpoints.length} endpoints. A run has at most ${MAX_RUN_ANSWERS}`
    : null;
}

async function planOf(c: Context<AppEnv>, fields: schemas.RunFields): Promise<RunPlan | Failure> {
  const { name, endpoints, repeat, concurrency, order_seed: orderSeed } = fields;
  const input = {
    name,
    description: "",
    endpoints,
    promptTemplate: fields.prompt_template,
    contextStrategy: fields.context_strategy,
    systemPrompt: fields.system_prompt,
    previousPrompts: null,
    attackModule: null,
  };
  const db = database(c.env.DB);
  const checked = await measure(c, "index", checkNamesExist(db, input));
  if (!checked.ok) return checked.failure;
  const createdAt = now();
  const session = await newSession(db, input, checked.value, { at: createdAt, zone: c.env.TIME_ZONE });
  return { name, endpoints, repeat, concurrency, orderSeed, createdAt, ...session };
}

/** Stores the run under its id, or with `-2`, `-3`, … while that is taken. */
async function storeUnderFreeId(
  c: Context<AppEnv>,
  plan: RunPlan,
  objectId: string,
  turns: number,
): Promise<StoredRun> {
  const { name, endpoints, repeat, createdAt } = plan;
  const db = database(c.env.DB);
  const id = `${await slug(db, name)}_${zonedStamp(createdAt, c.env.TIME_ZONE)}`;
  const progress = { done: 0, of: turns * repeat * endpoints.length, errors: 0 };
  const run: StoredRun = { id, objectId, name, status: "running", createdAt, endpoints, repeat, progress };
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? run : { ...run, id: `${id}-${attempt}` };
    const statements = saveResponseStatements(
      c,
      `run:${candidate.id}`,
      presentNewRun(candidate, settingsOf(plan)),
      200,
    );
    if (await measure(c, "index", storeRun(db, candidate, statements))) return candidate;
  }
}

/** The items of a run that is being made, on their way to its object. */
class RunDraft {
  readonly stub: RunStub;
  #hasBegun = false;
  #batch: RunItem[] = [];
  /** Each item of the batch as JSON. */
  #texts: string[] = [];
  #characters = 0;
  /** Follows from the items alone, and not from the batches in which they came. */
  #digest = "";

  constructor(stub: RunStub) {
    this.stub = stub;
  }

  async add(item: RunItem): Promise<void> {
    const text = JSON.stringify(item);
    this.#batch.push(item);
    this.#texts.push(text);
    this.#characters += text.length;
    if (this.#batch.length === BATCH_ITEMS || this.#characters > BATCH_CHARACTERS) await this.#pass();
  }

  /** Passes the last items. @returns a digest of all */
  async finish(): Promise<string> {
    if (this.#batch.length > 0) await this.#pass();
    return this.#digest;
  }

  async discard(): Promise<void> {
    if (this.#hasBegun) await this.stub.discard();
  }

  async #pass(): Promise<void> {
    if (!this.#hasBegun) await this.stub.begin();
    this.#hasBegun = true;
    const [items, texts] = [this.#batch, this.#texts];
    this.#batch = [];
    this.#texts = [];
    this.#characters = 0;
    this.#digest = await sha256Hex(`${this.#digest}[${texts.join(",")}]`);
    await this.stub.addItems({ items });
  }
}
