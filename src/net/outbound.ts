/**
 * Outbound HTTP: the only place that calls `fetch`, which the linter enforces. Every URL of an endpoint passes the URL
 * guard here, right before the request. Also in this folder: `url-guard.ts` (which URLs are allowed) and `sse.ts`
 * (reading of event streams).
 * What a response means to a provider belongs to `providers/call`. Effects: network I/O, timeouts.
 */
import { urlProblem } from "./url-guard.ts";
import type { ReplyFailure } from "../core/reply.ts";
import { replyFailure } from "../core/reply.ts";
import { readEvents } from "./sse.ts";
import type { ServerSentEvent } from "./sse.ts";

/** How much of an error response is read for its message, in characters. */
const MAX_ERROR_CHARACTERS = 65_536;

export interface OutboundRequest {
  url: string;
  headers: Record<string, string>;
  /** JSON text. */
  body: string;
}

/** A successful response: its events, in the portions in which they arrive. */
export interface StreamingResponse {
  events: AsyncGenerator<ServerSentEvent[], void>;
  headers: Headers;
}

/** A response with any other status, and the beginning of its text. */
export interface ErrorResponse {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * Posts JSON and reads the response as a stream of events, whatever its content type is.
 *
 * @param allowPrivateUrls allows http and private addresses
 * @returns a failure if the URL is not allowed or the connection fails
 */
export async function postStream(
  { url, headers, body }: OutboundRequest,
  signal: AbortSignal,
  allowPrivateUrls: boolean,
): Promise<StreamingResponse | ErrorResponse | ReplyFailure> {
  const problem = urlProblem(url, allowPrivateUrls);
  if (problem !== null) return replyFailure("refused_by_guard", `The endpoint's URL ${problem}.`);
  let response: Response;
  try {
    // The parsed URL, so that the request uses the spelling that was checked.
    response = await fetch(new URL(url).href, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream", ...headers },
      body,
      redirect: "manual",
      signal,
    });
  } catch {
    return replyFailure("connection_lost", "No connection to the provider, or it was lost.", {
      retry: { afterMs: null },
    });
  }
  return response.ok
    ? { events: readEvents(response.body ?? new Blob([]).stream(), signal), headers: response.headers }
    : { status: response.status, headers: response.headers, text: await readBeginning(response) };
}

/** The provider's id of a request, from the response headers. */
export const requestIdOf = (headers: Headers): string | null =>
  headers.get("x-request-id") ?? headers.get("request-id") ?? headers.get("apim-request-id");

async function readBeginning(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ERROR_CHARACTERS) break;
    }
  } catch {
    // The connection broke. The text so far is used.
  }
  return text.trim();
}

/** Time limit for a small document, in milliseconds, and its size limit, in characters. */
const DOCUMENT_TIMEOUT_MS = 5_000;
const MAX_DOCUMENT_CHARACTERS = 262_144;

/** Posts JSON, and reads no more than the status. @throws if the URL is not allowed, or the status is no success */
export async function postJson(url: string, value: object, allowPrivateUrls: boolean): Promise<void> {
  const problem = urlProblem(url, allowPrivateUrls);
  if (problem !== null) throw new Error(`The address ${problem}`);
  const response = await fetch(new URL(url).href, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
    redirect: "manual",
    signal: AbortSignal.timeout(DOCUMENT_TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`The answer has the status ${response.status}`);
}

/** Reads a small JSON document. @throws if there is none */
export async function readJson(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(DOCUMENT_TIMEOUT_MS),
  });
  const text = response.status === 200 ? await response.text() : "";
  if (text.length > MAX_DOCUMENT_CHARACTERS) throw new Error(`The document at ${new URL(url).host} is too large`);
  return JSON.parse(text);
}
