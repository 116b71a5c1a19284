/**
 * The one way out to the network, and the last place to look at where it leads.
 */
import { urlProblem } from "./url-guard.ts";
import type { ReplyFailure } from "../core/reply.ts";
import { replyFailure } from "../core/reply.ts";
import { readEvents } from "./sse.ts";
import type { ServerSentEvent } from "./sse.ts";

/** How much of a refusal is read for its error message, in characters. */
const MAX_ERROR_CHARACTERS = 65_536;

export interface OutboundRequest {
  url: string;
  headers: Record<string, string>;
  /** JSON text. */
  body: string;
}

/** An answer with a status of success: its events in the portions in which they arrived. */
export interface StreamingResponse {
  events: AsyncGenerator<ServerSentEvent[], void>;
  headers: Headers;
}

/** An answer with any other status, and the beginning of its text. */
export interface ErrorResponse {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * Posts JSON and opens the answer as a stream of events, whatever its content type says.
 *
 * @param allowPrivateUrls lets http and private addresses pass
 */
export async function postStream(
  { url, headers, body }: OutboundRequest,
  signal: AbortSignal,
  allowPrivateUrls: boolean,
): Promise<StreamingResponse | ErrorResponse | ReplyFailure> {
  const problem = urlProblem(url, allowPrivateUrls);
  if (problem !== null) return replyFailure("refused_by_guard", `The endpoint's address ${problem}.`);
  let response: Response;
  try {
    // In the one spelling that was looked at.
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

/** A provider's own name for a call, from its headers. */
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
    // What came before the break is all there is to tell.
  }
  return text.trim();
}

/** How long a small document may take, in milliseconds, and how large it may be, in characters. */
const DOCUMENT_TIMEOUT_MS = 5_000;
const MAX_DOCUMENT_CHARACTERS = 262_144;

/** Reads a small JSON document. @throws when there is none */
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
