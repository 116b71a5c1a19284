/**
 * Cloudflare's models through the Worker's `AI` binding, without URL and key. The replies are chat completions, read by
 * `chat-completion.ts`. Effects: calls the binding.
 * https://developers.cloudflare.com/workers-ai/configuration/bindings/
 */
import { DEFAULT_MAX_ATTEMPTS } from "../../core/call-params.ts";
import type { ReplyEvent, ReplyFailure, ReplyStream } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import { chatCompletion } from "./chat-completion.ts";
import { isObject } from "../call/json-fields.ts";
import { chatCompletionBody, modelOf } from "./openai-compatible.ts";
import { failureOfStatus } from "../call/provider-error.ts";
import type { Provider } from "../call/provider.ts";
import { readEvents } from "../../net/sse.ts";
import { ReplyReader } from "../call/reply-reader.ts";
import { readReply } from "../call/http-provider.ts";

/** The part of the binding that is used. */
interface Ai {
  run(model: string, inputs: Record<string, unknown>, options: { signal: AbortSignal }): Promise<unknown>;
}

/**
 * HTTP statuses for the error codes of Workers AI. Any other code is an error on its side.
 * https://developers.cloudflare.com/workers-ai/platform/errors/
 */
const HTTP_STATUSES: Partial<Record<string, number>> = {
  5007: 400,
  5004: 400,
  3039: 400,
  3003: 400,
  5018: 403,
  5016: 403,
  3023: 403,
  3041: 403,
  5019: 405,
  5005: 405,
  3042: 404,
  3006: 413,
  3007: 408,
  3008: 408,
  3036: 429,
  3040: 429,
};

export const workersAi: Provider = {
  defaultUri: "",
  required: ["model"],
  optional: [],
  unsupportedUrl: null,
  params: [],
  maxAttempts: DEFAULT_MAX_ATTEMPTS,
  alternateRoles: true,
  prepare({ request, providerParams, providerEnv: { ai } }) {
    if (!isAi(ai)) {
      return replyFailure("provider_auth", "This Worker has no AI binding. wrangler.toml describes how to add one.");
    }
    const { model: _, ...inputs } = chatCompletionBody(request, providerParams);
    const model = modelOf(request, providerParams);
    return {
      url: null,
      body: JSON.stringify(inputs),
      model,
      make: (signal, _attempt, onModel) =>
        run(() => ai.run(model, inputs, { signal }), new ReplyReader(chatCompletion, null, null, onModel), signal),
    };
  },
};

const isAi = (ai: unknown): ai is Ai =>
  (typeof ai === "object" || typeof ai === "function") && ai !== null && "run" in ai;

async function* run(call: () => Promise<unknown>, reader: ReplyReader, signal: AbortSignal): ReplyStream {
  let stream: unknown;
  try {
    stream = await call();
  } catch (error) {
    return yield [failureOf(error)];
  }
  // Some models return an object instead of a stream.
  if (isObject(stream) && !(stream instanceof ReadableStream)) return yield readWholeReply(stream, reader);
  if (!(stream instanceof ReadableStream)) {
    return yield [replyFailure("bad_chunk", "The model returned no stream. It may not be a text model.")];
  }
  yield* readReply(readEvents(stream as ReadableStream<Uint8Array>, signal), reader, null);
}

function readWholeReply(document: Record<string, unknown>, reader: ReplyReader): ReplyEvent[] {
  const events = reader.read([{ data: JSON.stringify(document) }, { data: "[DONE]" }]);
  return events.length > 0 ? events : [reader.close()];
}

function failureOf(error: unknown): ReplyFailure {
  const message = error instanceof Error ? error.message : String(error);
  const [code = ""] = /\b[35]0\d\d\b/.exec(message) ?? [];
  return failureOfStatus(HTTP_STATUSES[code] ?? 500, `Workers AI answered: ${message.slice(0, 1_000)}`);
}
