/**
 * How the parts of the bench call Parley: settings, paths, and what they create. What is measured needs timings and raw answers, so
 * it goes through `HttpClient`; what is only created goes through the typed client.
 */
import { ParleyClient } from "../../src/client/index.ts";
import type { ChatbotFields, EndpointFields } from "../../src/client/types.ts";
import { HttpClient } from "./http-client.ts";
import type { Answer } from "./http-client.ts";

const ADMIN_KEY = "bench-admin-key-0123456789abcdef";

/** Variables of the measured Parley. */
export const PARLEY_VARS = {
  ADMIN_KEY,
  ALLOW_PRIVATE_ENDPOINTS: "1",
  RATE_LIMITS: "off",
  ENCRYPTION_KEY: "dGhlIGtleSB0aGF0IHRoaXMgYmVuY2htYXJrIHVzZXM=",
};

/** Text of all messages that are sent. */
export const MESSAGE_TEXT = "Could you tell me where my parcel is? The number is 4711-0815.";

const USER_MESSAGE = { role: "user", content: MESSAGE_TEXT };

/** The header that keeps a session's log out of an answer. */
export const WITHOUT_LOG = { prefer: "return=minimal" };

export const messagePath = (sessionId: string): string => `/sessions/message?sessionId=${sessionId}`;

export const chatPath = (sessionId: string): string => `/sessions/chat?sessionId=${sessionId}`;

/** Appends a message. The answer holds no others. */
export const appendMessage = (parley: HttpClient, sessionId: string, message = USER_MESSAGE): Promise<Answer> =>
  parley.post(messagePath(sessionId), { message }, WITHOUT_LOG);

/** One turn with the session's chatbot. */
export const sendChat = (
  parley: HttpClient,
  sessionId: string,
  headers: Record<string, string> = {},
): Promise<Answer> => parley.post(chatPath(sessionId), { content: MESSAGE_TEXT }, headers);

export const socketPath = (sessionId: string): string => `/sessions/${sessionId}/ws`;

/** The token of the measured Parley's admin. */
export const ADMIN_TOKEN = ADMIN_KEY;

/** Headers of a call with the admin key. */
export const parleyHeaders = { authorization: `Bearer ${ADMIN_KEY}` };

/** An HTTP client with the admin key. @param connections calls at the same time */
export const parleyClient = (origin: string, connections = 1): HttpClient =>
  new HttpClient(origin, parleyHeaders, connections);

const typedClient = (parley: HttpClient): ParleyClient => new ParleyClient({ url: parley.origin, token: ADMIN_KEY });

/** @param name must be a slug, since it becomes the id @param fields further fields, such as limits @returns the id */
export async function createEndpoint(
  parley: HttpClient,
  name: string,
  uri: string,
  fields: Partial<EndpointFields> = {},
): Promise<string> {
  const endpoint = { name, connector_type: "openai-connector" as const, uri, token: "t", model: "bench", ...fields };
  await typedClient(parley).endpoints.create(endpoint);
  return name;
}

/**
 * Creates a chatbot of an endpoint, and a client.
 *
 * @param fields further fields of the chatbot
 * @returns creates a session of the two, and returns its id
 */
export async function createSessionMaker(
  parley: HttpClient,
  endpointId: string,
  fields: Partial<ChatbotFields> = {},
): Promise<(() => Promise<string>) & { chatbotId: string }> {
  const { chatbots, clients, sessions } = typedClient(parley);
  const { id: chatbotId } = await chatbots.create({ name: "Shop assistant", endpointId, ...fields });
  const { id: clientId } = await clients.create({ name: "Ada" });
  const createSession = async () => (await sessions.create({ chatbotId, clientId, title: "Where is my parcel?" })).id;
  return Object.assign(createSession, { chatbotId });
}

/** Creates a comparison session. @returns its id */
export async function createComparison(parley: HttpClient, name: string, endpoints: string[]): Promise<string> {
  return (await typedClient(parley).comparisons.create({ name, endpoints })).session_id;
}
