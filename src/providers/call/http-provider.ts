/**
 * A provider over HTTP: sends a request in a wire format and reads the response to its first end or failure. Wire
 * formats are in `adapters/`; the meaning of events is in `reply-reader.ts`. Effects: network I/O through
 * `net/outbound.ts`, timers.
 */
import { DEFAULT_MAX_ATTEMPTS } from "../../core/call-params.ts";
import { MAX_REPLY_CHARACTERS } from "../../core/message.ts";
import type { ReplyEnd, ReplyEvent, ReplyFailure, ReplyRequest, ReplyStream } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";
import { postStream, requestIdOf } from "../../net/outbound.ts";
import type { OutboundRequest, ErrorResponse } from "../../net/outbound.ts";
import { errorInBody } from "./find-provider-error.ts";
import { filteredReply, failureOfStatus } from "./provider-error.ts";
import type { Call, Provider, ProviderEnv } from "./provider.ts";
import { NotUtf8, ResponseTooLarge } from "../../net/sse.ts";
import type { ServerSentEvent } from "../../net/sse.ts";
import { ReplyReader } from "./reply-reader.ts";
import type { ResponseFormat } from "./reply-reader.ts";
import { retryAfterMs } from "./retry-after.ts";
import { maskSecret } from "./mask-secret.ts";

/** How long to wait for the end of the stream after the terminal marker, in milliseconds. */
const DRAIN_TIMEOUT_MS = 20;

/** How long to wait for more after a finish reason, such as usage, in milliseconds. */
const AFTER_FINISH_TIMEOUT_MS = 5_000;

/** A request in a wire format. */
export interface WireRequest {
  url: string;
  headers: Record<string, string>;
  body: Record<string, unknown>;
  model: string;
}

/** A vendor's wire format over HTTP. */
export interface WireFormat extends Pick<
  Provider,
  "defaultUri" | "required" | "optional" | "params" | "unsupportedUrl"
> {
  buildRequest(request: ReplyRequest, providerParams: Record<string, unknown>): WireRequest;
  responseFormat: ResponseFormat;
}

/** A provider that is called over HTTP. */
export const httpProvider = (format: WireFormat): Provider => ({
  defaultUri: format.defaultUri,
  required: format.required,
  optional: format.optional,
  params: format.params,
  unsupportedUrl: format.unsupportedUrl,
  maxAttempts: DEFAULT_MAX_ATTEMPTS,
  alternateRoles: true,
  prepare({ request, providerParams, providerEnv }): Call {
    const { url, headers, body, model } = format.buildRequest(request, providerParams);
    const text = JSON.stringify(body);
    const outboundRequest: OutboundRequest = { url, headers, body: text };
    return {
      url,
      body: text,
      model,
      make: (signal, _, onModel) => {
        const openReader = (requestId: string | null, retryAfter: number | null) =>
          new ReplyReader(format.responseFormat, requestId, retryAfter, onModel);
        return callOverHttp(outboundRequest, openReader, request.token, signal, providerEnv);
      },
    };
  },
});

async function* callOverHttp(
  outboundRequest: OutboundRequest,
  openReader: (requestId: string | null, retryAfterMs: number | null) => ReplyReader,
  secret: string,
  signal: AbortSignal,
  { allowPrivateUrls }: ProviderEnv,
): ReplyStream {
  const response = await postStream(outboundRequest, signal, allowPrivateUrls);
  if ("code" in response) return yield [response];
  if ("text" in response) return yield [readErrorResponse(response, secret)];
  const providerRequestId = requestIdOf(response.headers);
  const reader = openReader(providerRequestId, retryAfterMs(response.headers));
  yield* readReply(response.events, reader, providerRequestId);
}

/** Reads an error response. It is a failure, or a filtered reply if a content filter rejected the prompt. */
function readErrorResponse({ status, headers, text }: ErrorResponse, secret: string): ReplyEnd | ReplyFailure {
  const providerRequestId = requestIdOf(headers);
  if (status >= 300 && status < 400) {
    return failureOfStatus(status, "The provider sent a redirect. Redirects are not followed.", {
      providerRequestId,
    });
  }
  const error = errorInBody(text);
  if (error.isFiltered) return filteredReply(providerRequestId);
  const message = maskSecret(`The provider answered ${status}: ${error.message}`, secret);
  return failureOfStatus(status, message, { afterMs: retryAfterMs(headers) ?? error.retryAfterMs, providerRequestId });
}

/**
 * Reads a reply from a stream of events, to its first end or failure. A stream without one, or one that is too long or
 * breaks, is a failure. Never throws because of a provider.
 */
export async function* readReply(
  portions: AsyncGenerator<ServerSentEvent[], void>,
  reader: ReplyReader,
  providerRequestId: string | null,
): ReplyStream {
  const failure: typeof replyFailure = (code, message, details) =>
    replyFailure(code, message, { providerRequestId, ...details });
  let characters = 0;
  let finishedAt: EpochMs | null = null;
  try {
    for (;;) {
      const portion = await nextPortion(portions, finishedAt);
      if (portion === null) return yield closeEarly(reader, "The connection stayed open after the finish reason.");
      if (portion.done) return yield [reader.close()];
      const events = reader.read(portion.value);
      finishedAt = nextFinishedAt(finishedAt, reader, events);
      characters += countCharacters(events);
      if (characters > MAX_REPLY_CHARACTERS)
        return yield [failure("refused_by_guard", `The reply is longer than ${MAX_REPLY_CHARACTERS} characters.`)];
      const isFinal = events.some(({ type }) => type !== "text");
      // A connection can be used again only if its response was read to the end.
      if (isFinal) await withTimeout(DRAIN_TIMEOUT_MS, portions.next());
      if (events.length > 0) yield events;
      if (isFinal) return;
    }
  } catch (error) {
    yield [eventAfterBreak(error, reader, failure)];
  } finally {
    void portions.return().catch(() => undefined);
  }
}

const nextPortion = (portions: AsyncGenerator<ServerSentEvent[], void>, finishedAt: EpochMs | null) =>
  finishedAt === null
    ? portions.next()
    : withTimeout(Math.max(0, finishedAt + AFTER_FINISH_TIMEOUT_MS - now()), portions.next());

/** Since when the reply has a finish reason and no new text: events without text do not extend the wait. */
function nextFinishedAt(finishedAt: EpochMs | null, reader: ReplyReader, events: ReplyEvent[]): EpochMs | null {
  if (!reader.hasFinished) return null;
  return finishedAt === null || events.length > 0 ? now() : finishedAt;
}

function eventAfterBreak(error: unknown, reader: ReplyReader, failure: typeof replyFailure): ReplyEvent {
  if (error instanceof ResponseTooLarge) return failure("refused_by_guard", error.message);
  if (error instanceof NotUtf8) return failure("bad_chunk", "The provider sent bytes that are not UTF-8.");
  const end = reader.closeEarly("The connection broke after the finish reason.");
  return (
    end ?? failure("connection_lost", "The connection broke in the middle of the reply.", { retry: { afterMs: null } })
  );
}

function closeEarly(reader: ReplyReader, note: string): ReplyEvent[] {
  const end = reader.closeEarly(note);
  return end ? [end] : [];
}

/** @returns `null` if the time passes first */
async function withTimeout<T>(milliseconds: number, promise: Promise<T>): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  // A rejection after the time has passed is not an unhandled one.
  promise.catch(() => undefined);
  return Promise.race([promise, timeout]).finally(() => timer !== null && clearTimeout(timer));
}

const countCharacters = (events: ReplyEvent[]): number =>
  events.reduce((characters, event) => characters + (event.type === "text" ? event.text.length : 0), 0);
