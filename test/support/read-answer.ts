/** Reads a provider's answer without a network, byte by byte if wanted. */
import type { ReplyEnd, ReplyFailure } from "../../src/core/reply.ts";
import { messagesResponse } from "../../src/providers/adapters/anthropic.ts";
import { chatCompletion } from "../../src/providers/adapters/chat-completion.ts";
import { generatedContent } from "../../src/providers/adapters/google-gemini.ts";
import { readEvents } from "../../src/net/sse.ts";
import { ReplyReader } from "../../src/providers/call/reply-reader.ts";
import { readReply } from "../../src/providers/call/http-provider.ts";

export const ANSWER_FORMATS = { openai: chatCompletion, anthropic: messagesResponse, gemini: generatedContent };
export type FormatName = keyof typeof ANSWER_FORMATS;

export interface ReadAnswer {
  text: string;
  last: ReplyEnd | ReplyFailure;
}

interface Arrival {
  /** Whether the connection breaks after the last byte. */
  breaks?: boolean;
}

/** @param pieces the body, in the pieces in which it arrives */
export async function readAnswer(
  format: FormatName,
  pieces: (string | Uint8Array)[],
  { breaks = false }: Arrival = {},
): Promise<ReadAnswer> {
  const encoder = new TextEncoder();
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = left.shift();
      if (next !== undefined) return controller.enqueue(typeof next === "string" ? encoder.encode(next) : next);
      if (breaks) controller.error(new Error("reset"));
      else controller.close();
    },
  });
  const events = readEvents(body, new AbortController().signal);
  let text = "";
  for await (const portion of readReply(events, new ReplyReader(ANSWER_FORMATS[format], null), null)) {
    for (const event of portion) {
      if (event.type !== "text") return { text, last: event };
      text += event.text;
    }
  }
  throw new Error("An answer without an end");
}

/** Server-sent events as OpenAI writes them. */
export const sse = (...data: unknown[]): string =>
  data.map((item) => `data: ${typeof item === "string" ? item : JSON.stringify(item)}\n\n`).join("");

export const delta = (content: unknown, more: object = {}) => ({
  choices: [{ index: 0, delta: { content }, ...more }],
});

export const finish = (reason: unknown, more: object = {}) => ({
  choices: [{ index: 0, delta: {}, finish_reason: reason }],
  ...more,
});
