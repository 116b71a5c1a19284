import { HttpClient } from "./http-client.ts";

const ADMIN_KEY = "bench";

/** What Parley is started with. */
export const PARLEY_VARS = {
  ADMIN_KEY,
  ALLOW_PRIVATE_ENDPOINTS: "1",
  RATE_LIMITS: "off",
  ENCRYPTION_KEY: "dGhlIGtleSB0aGF0IHRoaXMgYmVuY2htYXJrIHVzZXM=",
};

/** The header that keeps a session's log out of an answer. */
export const WITHOUT_LOG = { prefer: "return=minimal" };

export const messagePath = (sessionId: string): string => `/sessions/message?sessionId=${sessionId}`;

export const chatPath = (sessionId: string): string => `/sessions/chat?sessionId=${sessionId}`;

export const socketPath = (sessionId: string): string => `/sessions/${sessionId}/ws`;

/** What a socket is opened with by a client that may do everything. */
export const SOCKET_PROTOCOLS = ["parley.v1", `bearer.${ADMIN_KEY}`];

/** A new client of a running Parley, who may do everything. */
export const parleyClient = (origin: string, connections = 1): HttpClient =>
  new HttpClient(origin, { authorization: `Bearer ${ADMIN_KEY}` }, connections);

/** @returns the id, which is the name: give names that are slugs */
export async function createEndpoint(parley: HttpClient, name: string, uri: string): Promise<string> {
  await parley.post("/v1/llm_endpoints", { name, connector_type: "openai-connector", uri, token: "t", model: "bench" });
  return name;
}

/** Creates a chatbot on an endpoint, and a client for it. @returns what makes a session between the two */
export async function createSessionMaker(parley: HttpClient, endpointId: string): Promise<() => Promise<string>> {
  const chatbotId = await create(parley, "/chatbots", { name: "Shop assistant", endpointId });
  const clientId = await create(parley, "/clients", { name: "Ada" });
  return () => create(parley, "/sessions", { chatbotId, clientId, title: "Where is my parcel?" });
}

async function create(parley: HttpClient, path: string, body: object): Promise<string> {
  const { text } = await parley.post(path, body);
  return (JSON.parse(text) as { data: { id: string } }).data.id;
}

/** Creates a session that puts each prompt to all of some endpoints. */
export async function createComparison(parley: HttpClient, name: string, endpoints: string[]): Promise<string> {
  const { text } = await parley.post("/v1/sessions", { name, endpoints });
  return (JSON.parse(text) as { session: { session_id: string } }).session.session_id;
}
