/** OpenAI's own client, against the app in the Workers runtime. */
import { exports } from "cloudflare:workers";
import OpenAI from "openai";
import { ADMIN_KEY } from "./api.ts";

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
