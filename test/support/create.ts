/** Creates endpoints, chatbots, clients and sessions over HTTP, with defaults for what a test does not care about. */
import { post } from "./api.ts";

let counter = 0;

/** @returns a name that no other test uses */
export const unique = (stem: string): string => `${stem} ${crypto.randomUUID().slice(0, 8)} ${(counter += 1)}`;

/** @returns the id of a new endpoint */
export async function createEndpoint(fields: Record<string, unknown> = {}): Promise<string> {
  const name = unique("endpoint");
  const given = { name, connector_type: "echo-connector", token: "", model: "", ...fields };
  const { status, body } = await post("/v1/llm_endpoints", given);
  if (status !== 200) throw new Error(`No endpoint: ${JSON.stringify(body)}`);
  return body.id;
}

export async function createChatbot(fields: Record<string, unknown> = {}): Promise<string> {
  const endpointId = fields["endpointId"] ?? (await createEndpoint());
  const { body } = await post("/chatbots", { name: unique("chatbot"), endpointId, ...fields });
  return body.data.id;
}

export async function createClient(fields: Record<string, unknown> = {}): Promise<string> {
  const { body } = await post("/clients", { name: unique("client"), ...fields });
  return body.data.id;
}

/** @returns the id of a new chatbot session */
export async function createSession(fields: Record<string, unknown> = {}): Promise<string> {
  const chatbotId = fields["chatbotId"] ?? (await createChatbot());
  const clientId = fields["clientId"] ?? (await createClient());
  const { status, body } = await post("/sessions", { ...fields, chatbotId, clientId });
  if (status !== 201) throw new Error(`No session: ${JSON.stringify(body)}`);
  return body.data.id;
}

/** @returns a new comparison session, as the API answers it */
export async function createComparison(endpoints: string[], fields: Record<string, unknown> = {}) {
  const { status, body } = await post("/v1/sessions", { name: unique("comparison"), endpoints, ...fields });
  if (status !== 200) throw new Error(`No session: ${JSON.stringify(body)}`);
  return body.session;
}
