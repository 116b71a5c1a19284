/** Creates the session of a call, and asks it. Effects: queries to D1, RPC to the session's object. */
import type { Context } from "hono";
import { rootCause } from "../../core/failure.ts";
import { asObjectId } from "../../core/id.ts";
import { newSession } from "../../core/new-session.ts";
import type { NewSessionInput } from "../../core/new-session.ts";
import { now } from "../../core/time.ts";
import { sessionStub } from "../../live/session-client.ts";
import type { ConversationQuestion } from "../../live/session-client.ts";
import { clientStore, findClientByExternalId } from "../../store/chatbots-and-clients.ts";
import { database } from "../../store/database.ts";
import { createChatbotSession } from "../../store/sessions.ts";
import { askSession } from "../http/ask-session.ts";
import type { SessionReply } from "../http/ask-session.ts";
import type { AppEnv } from "../http/context.ts";
import { measure } from "../http/context.ts";
import { claimCreation, releaseClaim, saveResponseStatements } from "../http/idempotency.ts";
import type { HttpProblem } from "../http/problem.ts";
import { cacheOwner } from "../http/session-owners.ts";
import { unsupported } from "./errors.ts";
import { checkContext } from "./model-request.ts";
import { findModel } from "./models.ts";

type AppContext = Context<AppEnv>;

/** The body of a call: whose session it makes, and with whom. A key is good for any form of the answer. */
interface NewSessionCall {
  model: string;
  stream?: unknown;
  stream_options?: unknown;
  metadata?: Record<string, unknown> | null | undefined;
  user?: string | null | undefined;
}

/** The session of a call. `isNew`: the call has made it. */
export interface OpenedSession {
  sessionId: string;
  isNew?: true;
}

/** Creates the session of a question, once per idempotency key. */
export async function createSession(
  c: AppContext,
  { stream: _stream, stream_options: _options, ...call }: NewSessionCall,
  question: ConversationQuestion,
): Promise<OpenedSession | HttpProblem> {
  const claimed = await claimCreation(c, call);
  if ("reason" in claimed) return claimed;
  if (claimed.created !== null) return { sessionId: String(Reflect.get(claimed.created, "id")) };
  const created = await create(c, call, question);
  if (!("reason" in created)) return { ...created, isNew: true };
  await releaseClaim(c);
  return created;
}

/**
 * Asks a session. A new one that refuses the question is removed, and with it the key of the call: nothing is kept of a call
 * that is refused. A reply that fails is no refusal.
 */
export async function askOpened(
  c: AppContext,
  { sessionId, isNew }: OpenedSession,
  question: ConversationQuestion,
  isStreamed: boolean,
): Promise<SessionReply | HttpProblem> {
  const asked = await askSession(c, sessionId, question, isStreamed);
  if ("reason" in asked && isNew) await removeNew(c, sessionId);
  return asked;
}

/** If it fails after it has begun, the object completes it. */
async function removeNew(c: AppContext, sessionId: string): Promise<void> {
  const removal = measure(c, "session", sessionStub(c.env, sessionId).remove());
  await removal.catch((error: unknown) => {
    console.error({ event: "refused-session-not-removed", sessionId, error: rootCause(error) });
  });
}

async function create(c: AppContext, call: NewSessionCall, question: ConversationQuestion) {
  const found = await findModel(c, call.model);
  if ("reason" in found) return found;
  const read = readMetadata(call.metadata ?? {});
  if ("reason" in read) return read;
  const { chatbot, endpoint } = found;
  if (!chatbot) return createWithEndpoint(c, endpoint?.id ?? call.model, read);
  const clientId = await findClientId(c, read.clientId, call.user);
  if (typeof clientId !== "string") return clientId;
  const input = { chatbotId: chatbot.id, clientId, metadata: read.kept };
  return checkContext(found, question) ?? (await save(c, input, chatbot.greeting)) ?? CLIENT_NOT_FOUND;
}

/** A session with an endpoint is nobody's in particular. A client does not get here: it sees no endpoints. */
async function createWithEndpoint(c: AppContext, endpointId: string, { clientId, kept }: ReadMetadata) {
  if (clientId !== undefined) return NO_CLIENT;
  const saved = await save(c, { chatbotId: null, clientId: null, endpointId, metadata: kept }, null);
  return saved ?? ({ reason: "not-found", resource: "model", id: endpointId } as const);
}

interface ReadMetadata {
  clientId: string | undefined;
  /** What the session keeps, as JSON text. */
  kept: string | undefined;
}

function readMetadata({ client_id: clientId, ...others }: Record<string, unknown>): ReadMetadata | HttpProblem {
  const text = JSON.stringify(others);
  if (text.length > MAX_METADATA_CHARACTERS || (clientId !== undefined && typeof clientId !== "string"))
    return METADATA_INVALID;
  return { clientId, kept: text === "{}" ? undefined : text };
}

/** @returns `null` if what the session needs was deleted meanwhile */
async function save(c: AppContext, input: NewSessionInput, greeting: string | null) {
  const { session, greeting: first } = newSession(input, greeting, now());
  const saveAnswer = saveResponseStatements(c, `session:${session.id}`, { id: session.id }, 201);
  const created = createChatbotSession(database(c.env.DB), session, first ? [first] : [], saveAnswer);
  if (!(await measure(c, "index", created))) return null;
  if (c.var.caller.role === "client" && input.clientId !== null)
    cacheOwner(session.id, input.clientId, session.createdAt);
  return { sessionId: session.id };
}

/** The caller's own client; or the client by its id in `metadata.client_id`, or by its `externalId` in `user`. */
async function findClientId(
  c: AppContext,
  id: string | undefined,
  externalId: string | null | undefined,
): Promise<string | HttpProblem> {
  if (c.var.caller.clientId !== null) return c.var.caller.clientId;
  if (id === undefined && externalId == null) return CLIENT_MISSING;
  const db = database(c.env.DB);
  const found =
    id === undefined ? findClientByExternalId(db, externalId ?? "") : clientStore.find(db, asObjectId(id) ?? "");
  const field = id === undefined ? "user" : "metadata.client_id";
  return (await measure(c, "index", found))?.id ?? { ...CLIENT_NOT_FOUND, field };
}

/** As long as that of a session may be. */
const MAX_METADATA_CHARACTERS = 16_384;

const METADATA_INVALID = unsupported(
  "unsupported_parameter",
  ["metadata"],
  "client_id must be a text, and the rest at most 16 KiB",
);

const CLIENT_NOT_FOUND = { reason: "not-found", resource: "client", id: null } as const;

const CLIENT_MISSING = unsupported(
  "unsupported_parameter",
  ["store"],
  "a session needs a client: its id in metadata.client_id, or its externalId in user",
);

const NO_CLIENT = unsupported(
  "unsupported_parameter",
  ["metadata", "client_id"],
  "a session with an endpoint has no client: ask a chatbot, chatbot:<id>",
);
