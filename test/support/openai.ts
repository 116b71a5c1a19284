/** OpenAI's own client, against the app in the Workers runtime. */
import { exports } from "cloudflare:workers";
import OpenAI from "openai";
import { inject } from "vitest";
import { ADMIN_KEY } from "./api.ts";
import { createEndpoint } from "./create.ts";

const upstream = inject("upstream");

type Options = Partial<ConstructorParameters<typeof OpenAI>[0]>;

/** Records the calls that a client has made, retries too. */
export interface RecordedCall {
  method: string;
  path: string;
  status: number;
  headers: Headers;
}

/** A client as its users make it, but for the network. */
export function openaiClient(apiKey = ADMIN_KEY, options: Options = {}): { client: OpenAI; calls: RecordedCall[] } {
  const calls: RecordedCall[] = [];
  const client = new OpenAI({
    baseURL: "http://parley.test/openai/v1",
    apiKey,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      const answer = await exports.default.fetch(request);
      const { pathname: path } = new URL(request.url);
      calls.push({ method: request.method, path, status: answer.status, headers: answer.headers });
      return answer;
    },
    ...options,
  });
  return { client, calls };
}

/** An endpoint whose provider plays a scene. Its calls are asked for by the provider's name. */
export async function endpointPlaying(scene: string, fields: Record<string, unknown> = {}) {
  const provider = `openai-client-${crypto.randomUUID()}`;
  const uri = `${upstream}/${provider}/${scene}`;
  const id = await createEndpoint({ connector_type: "openai-connector", uri, model: "gpt-x", ...fields });
  const asked = async (question: string) => (await fetch(`${upstream}/${question}/${provider}`)).json();
  return {
    id,
    received: asked.bind(null, "received") as () => Promise<{ text: string; body: Record<string, unknown> }[]>,
    open: asked.bind(null, "open") as () => Promise<number>,
  };
}

/** The error that a call ends with. */
export const errorOf = (call: PromiseLike<unknown>) =>
  Promise.resolve(call).then(
    () => {
      throw new Error("The call succeeded");
    },
    (error: unknown) => error as InstanceType<typeof OpenAI.APIError>,
  );
