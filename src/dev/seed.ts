/**
 * The first endpoints, chatbots and client of a local database, so that the first call works without a provider's key. Also
 * the steps of the demo create through here what they need.
 *
 * Writes to D1 before the server starts, so that whoever finds it ready finds this content too. The steps of the demo call
 * Parley over HTTP.
 */
import type { ChatbotFields, EndpointFields, ParleyClient } from "../client/index.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { newObjectId } from "../core/id.ts";
import { now } from "../core/time.ts";
import { chatbotStore, clientStore } from "../store/chatbots-and-clients.ts";
import { database } from "../store/database.ts";
import { createEndpoint, hasEndpoints } from "../store/endpoints.ts";

/** The endpoints that need no model: their params are text in JSON. */
const ENDPOINTS: Pick<Endpoint, "id" | "connectorType" | "params">[] = [
  // Slow enough to see that it streams.
  { id: "eliza", connectorType: "eliza-connector", params: '{"tokens_per_second":16}' },
  { id: "echo", connectorType: "echo-connector", params: "{}" },
];

export const ELIZA: ChatbotFields = {
  name: "Eliza",
  endpointId: "eliza",
  description: "A patient listener that needs no model",
  greeting: "How do you do. What is on your mind?",
};

const ECHO: ChatbotFields = {
  name: "Echo",
  endpointId: "echo",
  description: "Repeats what you write",
  greeting: "Write something, and I will repeat it.",
};

const ALL = { limit: 100, skip: 0 };

/**
 * Fills a database that has no endpoints. They are written last, so that the next start goes on with what an interrupted one
 * has not created.
 */
export async function seedEmptyDatabase(binding: D1Database): Promise<void> {
  const db = database(binding);
  if (await hasEndpoints(db)) return;
  const at = now();
  const times = { createdAt: at, updatedAt: at, deletedAt: null };
  if ((await clientStore.list(db, null, ALL)).total === 0)
    await clientStore.create(db, {
      id: newObjectId(at),
      name: "Ada",
      email: null,
      externalId: null,
      metadata: null,
      ...times,
    });
  const { results: chatbots } = await chatbotStore.list(db, null, ALL);
  // Lists show the newest first, so Eliza comes first in them.
  for (const { description = null, greeting = null, ...chatbot } of [ECHO, ELIZA]) {
    if (chatbots.some(({ endpointId }) => endpointId === chatbot.endpointId)) continue;
    const settings = {
      systemPrompt: null,
      historyLimit: 50,
      context: null,
      params: null,
      takeoverTimeoutMinutes: null,
    };
    await chatbotStore.create(db, { id: newObjectId(at), ...chatbot, description, greeting, ...settings, ...times });
  }
  for (const { id, ...endpoint } of ENDPOINTS) {
    const unset = {
      uri: "",
      token: "",
      model: "",
      maxCallsPerSecond: 0,
      maxConcurrency: 0,
      pinned: null,
      prices: null,
    };
    await createEndpoint(db, { id, name: id, ...endpoint, ...unset, createdAt: at, updatedAt: at });
  }
}

/** @returns whether the endpoint was created now */
export async function createIfMissing(parley: ParleyClient, endpoint: EndpointFields): Promise<boolean> {
  if ((await parley.endpoints.list()).some(({ name }) => name === endpoint.name)) return false;
  await parley.endpoints.create(endpoint);
  return true;
}

/** Finds the chatbot of an endpoint, or creates it. */
export async function findOrCreateChatbot(
  parley: ParleyClient,
  wanted: ChatbotFields,
): Promise<{ id: string; name: string; created: boolean }> {
  const found = (await parley.chatbots.list({ limit: 100 })).results.find(
    ({ endpointId }) => endpointId === wanted.endpointId,
  );
  return found ? { ...found, created: false } : { ...(await parley.chatbots.create(wanted)), created: true };
}
