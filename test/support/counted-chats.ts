/** Chatbots with `context` on a provider that counts tokens by its own rule, and what that provider received. */
import { inject } from "vitest";
import { post } from "./api.ts";
import { countTokens } from "./counting-provider.node.ts";
import { createChatbot, createEndpoint, createSession } from "./create.ts";

const upstream = inject("upstream");

/** The provider's formats: what their endpoints need, and whether user and assistant must take turns. */
export const FORMATS = [
  { format: "OpenAI", connector_type: "openai-connector" },
  { format: "Anthropic", connector_type: "anthropic-connector" },
  { format: "Gemini", connector_type: "google-gemini-connector" },
] as const;

/** A body as the provider received it, with its text. */
export type CountedBody = Parameters<typeof countTokens>[0] & { text: string };

export class CountingEndpoint {
  readonly id: string;
  readonly #name: string;

  constructor(id: string, name: string) {
    this.id = id;
    this.#name = name;
  }

  /** The bodies of all calls so far, the first one first, each with its text. */
  async bodies(): Promise<CountedBody[]> {
    const answer = await fetch(`${upstream}/received/${this.#name}`);
    const calls = await answer.json<{ body: object; text: string }[]>();
    return calls.toReversed().map(({ body, text }) => ({ ...body, text }));
  }

  async chats(): Promise<CountedBody[]> {
    return (await this.bodies()).filter(({ text }) => !text.includes("Summarize this conversation"));
  }

  async summaries(): Promise<CountedBody[]> {
    return (await this.bodies()).filter(({ text }) => text.includes("Summarize this conversation"));
  }

  /** How many connections it has open. */
  async open(): Promise<number> {
    return (await fetch(`${upstream}/open/${this.#name}`)).json<number>();
  }

  /** The tokens of each call, as the provider counts them. */
  async tokens(charactersPerToken: number): Promise<number[]> {
    return (await this.bodies()).map((body) => countTokens(body, charactersPerToken));
  }
}

/** @param scene how it counts, and what it does when it is asked for a summary: see `counting-provider.node.ts` */
export async function createCountingEndpoint(scene: string, fields: object = {}): Promise<CountingEndpoint> {
  const name = crypto.randomUUID();
  const given = { connector_type: "openai-connector", token: "t", model: "m", ...fields };
  return new CountingEndpoint(await createEndpoint({ ...given, uri: `${upstream}/${name}/${scene}` }), name);
}

/** @returns the id of a new session whose chatbot has an endpoint and a context */
export const createContextSession = async (
  endpoint: CountingEndpoint,
  context: object,
  chatbot: object = {},
): Promise<string> =>
  createSession({
    chatbotId: await createChatbot({ endpointId: endpoint.id, historyLimit: 1000, context, ...chatbot }),
  });

export const chat = (id: string, content: string, headers: Record<string, string> = {}) =>
  post(`/sessions/chat?sessionId=${id}`, { content }, { headers });

export const say = (id: string, role: string, content: string) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role, content } });
