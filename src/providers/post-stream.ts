import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";
import { addressFault } from "../core/address.ts";
import type { FailureReason } from "../core/failure.ts";
import type { ReplyFailed } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { now } from "../core/time.ts";
import { maskSecret } from "./secret.ts";

/** How much of an answer that is no stream is read for its error message, in bytes. */
const MAX_ERROR_BYTES = 65_536;

/** The longest error message of a provider that is passed on, in characters. */
const MAX_ERROR_CHARACTERS = 1_000;

/** The largest answer that is read, in bytes: a reply of the longest kind, in events of three characters, takes as much. */
const MAX_ANSWER_BYTES = 67_108_864;

/** How much may come without an event, in bytes: comments that keep a connection open are short. */
const MAX_EVENT_BYTES = 4_194_304;

/** Thrown out of a stream that brings more than is read. */
export class TooLarge extends Error {}

/** As much of a stream's end as a terminal marker takes, in characters. */
const LAST_LINE = 20;

export interface Posted {
  url: string;
  headers: Record<string, string>;
  /** JSON text. */
  body: string;
  /** Never repeated in a message, should the provider repeat it. */
  secret: string;
}

/** `events` come in the portions in which they arrived. */
export type Streamed =
  | { events: AsyncGenerator<EventSourceMessage[], void>; headers: Headers }
  /** `said`: the text that the provider answered instead, if it did. */
  | { failed: ReplyFailed; said: string };

/**
 * Posts JSON and opens the event stream that answers it. The one way out to the network, and the last place to look at
 * where it leads.
 *
 * @param privateAllowed lets http and private addresses pass
 */
export async function postStream(
  { url, headers, body, secret }: Posted,
  signal: AbortSignal,
  privateAllowed: boolean,
): Promise<Streamed> {
  const fault = addressFault(url, privateAllowed);
  if (fault !== null) return { failed: replyFailed("refused_by_guard", `The endpoint's address ${fault}.`), said: "" };
  let answer: Response;
  try {
    // In the one spelling that was looked at.
    answer = await fetch(new URL(url).href, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream", ...headers },
      body,
      redirect: "manual",
      signal,
    });
  } catch {
    const failed = replyFailed("connection_lost", "No connection to the provider, or it was lost.", {
      again: { afterMs: null },
    });
    return { failed, said: "" };
  }
  if (answer.status === 200 && answer.body && mayBeEvents(answer)) {
    return { events: readEvents(answer.body, signal), headers: answer.headers };
  }
  const said = await readSome(answer);
  return { failed: answer.status === 200 ? noStream(answer, said, secret) : refusal(answer, said, secret), said };
}

/** Some servers call their events by another name, or by none; these two are never events. */
const mayBeEvents = ({ headers }: Response): boolean =>
  !/^\s*(application\/json|text\/html)\b/i.test(headers.get("content-type") ?? "");

/**
 * Server-sent events, in the portions in which they arrive. Lets go of the stream when the signal is aborted.
 *
 * @throws when the connection breaks, or TooLarge for a stream that is larger than it may be
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<EventSourceMessage[], void> {
  const decoder = new TextDecoder();
  let events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  let line = "";
  let bytes = 0;
  let silentBytes = 0;
  const reader = body.getReader();
  const letGo = () => void reader.cancel().catch(() => undefined);
  if (signal.aborted) letGo();
  else signal.addEventListener("abort", letGo, { once: true });
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      bytes += chunk.value.byteLength;
      silentBytes += chunk.value.byteLength;
      if (bytes > MAX_ANSWER_BYTES) throw new TooLarge(`The answer is larger than ${MAX_ANSWER_BYTES} bytes.`);
      if (silentBytes > MAX_EVENT_BYTES)
        throw new TooLarge(`The answer brought ${MAX_EVENT_BYTES} bytes without an event.`);
      const text = decoder.decode(chunk.value, { stream: true });
      parser.feed(text);
      line = (line + text).slice(-LAST_LINE);
      if (events.length > 0) {
        silentBytes = 0;
        yield events;
      }
      events = [];
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  // Some servers forget the blank line behind their last event. Anything but a marker would be half an event.
  if (/data: ?\[DONE\]\r?\n?$/.test(line)) parser.feed("\n\n");
  if (events.length > 0) yield events;
}

function refusal(answer: Response, said: string, secret: string): ReplyFailed {
  const redirected = answer.status >= 300 && answer.status < 400;
  const message = redirected
    ? "The provider redirects elsewhere, and redirects are not followed."
    : `The provider answered ${answer.status}: ${messageIn(said) ?? said}`;
  return refusedWith(answer.status, shortened(message, secret), {
    afterMs: retryAfterMs(answer.headers),
    providerRequestId: requestIdOf(answer.headers),
  });
}

/** An answer that calls itself a success, and is no stream: an error told in the wrong place, or something else altogether. */
function noStream({ headers }: Response, said: string, secret: string): ReplyFailed {
  const error = messageIn(said);
  const facts = { providerRequestId: requestIdOf(headers) };
  return error === null
    ? replyFailed("bad_chunk", `The provider answered no event stream, but ${headers.get("content-type")}.`, facts)
    : replyFailed("provider_error", shortened(`The provider answered an error: ${error}`, secret), facts);
}

/** Masked before it is cut: half a secret is one too. */
const shortened = (message: string, secret: string): string =>
  maskSecret(message, secret).slice(0, MAX_ERROR_CHARACTERS);

/** The failure that an HTTP status tells, and whether the call is worth making again. */
export function refusedWith(
  httpStatus: number,
  message: string,
  { afterMs = null, providerRequestId = null }: { afterMs?: number | null; providerRequestId?: string | null } = {},
): ReplyFailed {
  return replyFailed(reasonOf(httpStatus), message, {
    retryAfterSeconds: afterMs === null ? null : Math.ceil(afterMs / 1000),
    providerRequestId,
    ...(isPassing(httpStatus) ? { again: { afterMs } } : {}),
  });
}

/** Whether a refusal may pass: a time-out, a conflict, a limit, or a fault on the provider's side. */
const isPassing = (httpStatus: number): boolean => [408, 409, 429].includes(httpStatus) || httpStatus >= 500;

/** The name of a failure that a provider tells by its HTTP status. */
function reasonOf(httpStatus: number): FailureReason {
  if (httpStatus >= 300 && httpStatus < 400) return "refused_by_guard";
  if (httpStatus === 401 || httpStatus === 403) return "provider_auth";
  if (httpStatus === 429) return "rate_limited";
  if (httpStatus === 503 || httpStatus === 529) return "provider_overloaded";
  if (httpStatus >= 400 && httpStatus < 500) return "provider_rejected";
  return "provider_error";
}

/** A provider's own name for a call, from its headers. */
export const requestIdOf = (headers: Headers): string | null =>
  headers.get("x-request-id") ?? headers.get("request-id") ?? headers.get("apim-request-id");

/** `retry-after-ms`, or `Retry-After` as seconds or as a date; RFC 9110, 10.2.3. In milliseconds. */
function retryAfterMs(headers: Headers): number | null {
  const milliseconds = numeral(headers.get("retry-after-ms"));
  if (milliseconds !== null) return milliseconds;
  const text = headers.get("retry-after");
  const seconds = numeral(text);
  if (text === null || seconds !== null) return seconds === null ? null : seconds * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now());
}

const numeral = (text: string | null): number | null =>
  text !== null && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;

function messageIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") return error;
    const message = typeof error === "object" && error !== null && "message" in error ? error.message : null;
    return typeof message === "string" ? message : null;
  } catch {
    return null;
  }
}

async function readSome(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ERROR_BYTES) break;
    }
  } catch {
    // What came before the break is all there is to tell.
  }
  return text.trim();
}

/** How long a small document may take, in milliseconds, and how large it may be, in characters. */
const DOCUMENT_MS = 5_000;
const MAX_DOCUMENT = 262_144;

/** Reads a small JSON document. @throws when there is none */
export async function readJson(url: string): Promise<unknown> {
  const answer = await fetch(url, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(DOCUMENT_MS),
  });
  const text = answer.status === 200 ? await answer.text() : "";
  if (text.length > MAX_DOCUMENT) throw new Error(`The document at ${new URL(url).host} is too large`);
  return JSON.parse(text);
}
