/**
 * The one way out to the network, and the last place to look at where it leads.
 */
import { urlProblem } from "./url-guard.ts";
import type { ReplyFailed } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { readEvents } from "./sse.ts";
import type { IncomingEvent } from "./sse.ts";

/** How much of a refusal is read for its error message, in characters. */
const MAX_REFUSAL = 65_536;

export interface OutboundRequest {
  url: string;
  headers: Record<string, string>;
  /** JSON text. */
  body: string;
}

/** An answer with a status of success: its events in the portions in which they arrived. */
export interface StreamedAnswer {
  events: AsyncGenerator<IncomingEvent[], void>;
  headers: Headers;
}

/** An answer with any other status, and the beginning of its text. */
export interface RefusedAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * Posts JSON and opens the answer as a stream of events, whatever its content type says.
 *
 * @param privateAllowed lets http and private addresses pass
 */
export async function postStream(
  { url, headers, body }: OutboundRequest,
  signal: AbortSignal,
  privateAllowed: boolean,
): Promise<StreamedAnswer | RefusedAnswer | ReplyFailed> {
  const fault = urlProblem(url, privateAllowed);
  if (fault !== null) return replyFailed("refused_by_guard", `The endpoint's address ${fault}.`);
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
    return replyFailed("connection_lost", "No connection to the provider, or it was lost.", {
      retry: { afterMs: null },
    });
  }
  return answer.ok
    ? { events: readEvents(answer.body ?? new Blob([]).stream(), signal), headers: answer.headers }
    : { status: answer.status, headers: answer.headers, text: await readBeginning(answer) };
}

/** A provider's own name for a call, from its headers. */
export const requestIdOf = (headers: Headers): string | null =>
  headers.get("x-request-id") ?? headers.get("request-id") ?? headers.get("apim-request-id");

async function readBeginning(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_REFUSAL) break;
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
