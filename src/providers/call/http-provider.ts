/**
 * Asks a provider over HTTP in a wire format, and reads its reply. The formats themselves are the adapters'; what an answer
 * means is for the reply reader.
 */
import { DEFAULT_MAX_ATTEMPTS } from "../../core/call-params.ts";
import type { ReplyEnd, ReplyEvent, ReplyFailed, ReplyRequest, ReplyStream } from "../../core/reply.ts";
import { replyFailed } from "../../core/reply.ts";
import { postStream, requestIdOf } from "../../net/outbound.ts";
import type { OutboundRequest, RefusedAnswer } from "../../net/outbound.ts";
import { errorInBody, filteredReply, failureOfStatus } from "./provider-error.ts";
import type { Call, Provider, ProviderEnv } from "./provider.ts";
import { TooLarge } from "../../net/sse.ts";
import type { IncomingEvent } from "../../net/sse.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { AnswerFormat } from "./reply-reader.ts";
import { retryAfterMs } from "./retry-after.ts";
import { maskSecret } from "./mask-secret.ts";

/** How long the end of an answer is awaited behind its terminal marker, in milliseconds. */
const LINGER_MS = 20;

/** How long more is awaited behind a finish reason, usage for instance, in milliseconds. */
const AFTER_FINISH_MS = 5_000;

/** What is sent in a format. */
export interface WireRequest {
  url: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  model: string;
}

/** A vendor's wire format over HTTP. */
export interface WireFormat extends Pick<Provider, "defaultUri" | "required" | "optional" | "params" | "otherAddress"> {
  post(request: ReplyRequest, sent: Record<string, unknown>): WireRequest;
  answer: AnswerFormat;
}

/** The longest reply that is kept, in UTF-16 code units: with its prompt it must fit in a row of 2 MB. */
const MAX_REPLY = 400_000;

/** A provider that is asked over HTTP in a format. */
export const httpProvider = (format: WireFormat): Provider => ({
  defaultUri: format.defaultUri,
  required: format.required,
  optional: format.optional,
  params: format.params,
  otherAddress: format.otherAddress,
  maxAttempts: DEFAULT_MAX_ATTEMPTS,
  alternateRoles: true,
  prepare({ request, sent, providerEnv }): Call {
    const { url, headers, body, model } = format.post(request, sent);
    const text = JSON.stringify(body);
    const posted: OutboundRequest = { url, headers, body: text };
    const open = (requestId: string | null) => new ReplyReader(format.answer, sent, requestId);
    return { url, body: text, model, make: (signal) => callOverHttp(posted, open, request.token, signal, providerEnv) };
  },
});

async function* callOverHttp(
  posted: OutboundRequest,
  open: (requestId: string | null) => ReplyReader,
  secret: string,
  signal: AbortSignal,
  { privateAllowed }: ProviderEnv,
): ReplyStream {
  const answer = await postStream(posted, signal, privateAllowed);
  if ("code" in answer) return yield [answer];
  if ("text" in answer) return yield [refusal(answer, secret)];
  const providerRequestId = requestIdOf(answer.headers);
  yield* readReply(answer.events, open(providerRequestId), providerRequestId);
}

/** What a refusal means: a failure, or an answer where a content filter refused. */
function refusal({ status, headers, text }: RefusedAnswer, secret: string): ReplyEnd | ReplyFailed {
  const providerRequestId = requestIdOf(headers);
  if (status >= 300 && status < 400) {
    return failureOfStatus(status, "The provider redirects elsewhere, and redirects are not followed.", {
      providerRequestId,
    });
  }
  const error = errorInBody(text);
  if (error.isFiltered) return filteredReply(providerRequestId);
  const message = maskSecret(`The provider answered ${status}: ${error.words}`, secret);
  return failureOfStatus(status, message, { afterMs: retryAfterMs(headers) ?? error.retryAfterMs, providerRequestId });
}

/**
 * Reads a reply off its events, to the first end or failure: a stream that has neither, is too long or breaks off has
 * failed. Never throws for what the provider did.
 */
export async function* readReply(
  portions: AsyncGenerator<IncomingEvent[], void>,
  reader: ReplyReader,
  providerRequestId: string | null,
): ReplyStream {
  const failed: typeof replyFailed = (code, message, facts) =>
    replyFailed(code, message, { providerRequestId, ...facts });
  let characters = 0;
  try {
    for (;;) {
      const portion = await nextOf(portions, reader.hasFinished);
      if (portion === null) return yield endEarly(reader, "The connection stayed open after the finish reason.");
      if (portion.done) return yield [reader.close()];
      const events = reader.read(portion.value);
      characters += textIn(events);
      if (characters > MAX_REPLY)
        return yield [failed("refused_by_guard", `The reply is longer than ${MAX_REPLY} characters.`)];
      const isOver = events.some(({ type }) => type !== "text");
      // A connection whose answer was read to its end serves the next call too.
      if (isOver) await within(LINGER_MS, portions.next());
      if (events.length > 0) yield events;
      if (isOver) return;
    }
  } catch (error) {
    yield [eventAfterBreak(error, reader, failed)];
  } finally {
    void portions.return().catch(() => undefined);
  }
}

const nextOf = (portions: AsyncGenerator<IncomingEvent[], void>, hasFinished: boolean) =>
  hasFinished ? within(AFTER_FINISH_MS, portions.next()) : portions.next();

function eventAfterBreak(error: unknown, reader: ReplyReader, failed: typeof replyFailed): ReplyEvent {
  if (error instanceof TooLarge) return failed("refused_by_guard", error.message);
  const end = reader.closeEarly("The connection broke after the finish reason.");
  return (
    end ?? failed("connection_lost", "The connection broke in the middle of the reply.", { retry: { afterMs: null } })
  );
}

function endEarly(reader: ReplyReader, why: string): ReplyEvent[] {
  const end = reader.closeEarly(why);
  return end ? [end] : [];
}

/** @returns `null` when time is over first */
async function within<T>(milliseconds: number, awaited: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const over = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  // Nobody looks at what breaks once time is over.
  awaited.catch(() => undefined);
  return Promise.race([awaited, over]).finally(() => timer !== null && clearTimeout(timer));
}

const textIn = (events: ReplyEvent[]): number =>
  events.reduce((characters, event) => characters + (event.type === "text" ? event.text.length : 0), 0);
