/**
 * Plays a provider that counts the tokens of what it gets by its own rule, in the format of the caller: OpenAI's, Anthropic's
 * or Gemini's. Asked for a summary, it answers with a numbered one. Runs in Node.
 */
import type { ServerResponse } from "node:http";

/** What a scene asks for: `count-<characters of a token>`, then any of the words below, each behind a colon. */
const SCENE = /^count-(\d+(?:\.\d+)?)((?::\w+)*)$/;

/** Tokens that it adds to each message, and to each call. */
const TOKENS_PER_MESSAGE = 3;
const TOKENS_PER_CALL = 3;

interface Body {
  system?: string;
  systemInstruction?: { parts: { text: string }[] };
  messages?: { content: string }[];
  contents?: { parts: { text: string }[] }[];
}

/** Tokens that a verbose one adds to each call. */
const TOKENS_OF_VERBOSE = 200;

let summaries = 0;

export const isCounted = (scene: string): boolean => SCENE.test(scene);

/**
 * `silent`: reports no usage. `verbose`: adds tokens to each call. `failing`: fails when a summary is asked for. `stalling`: then never answers. `blank`: then
 * answers nothing.
 */
export function answerCounted(scene: string, path: string, text: string, answer: ServerResponse): void {
  const [, charactersPerToken, words = ""] = SCENE.exec(scene) ?? [];
  const options = words.split(":");
  const isSummary = text.includes("Summarize this conversation");
  if (isSummary && options.includes("failing")) {
    answer.writeHead(400, { "content-type": "application/json" });
    return void answer.end(JSON.stringify({ error: { message: "No summaries here" } }));
  }
  answer.writeHead(200, { "content-type": "text/event-stream" });
  if (isSummary && options.includes("stalling")) return answer.flushHeaders();
  const added = options.includes("verbose") ? TOKENS_OF_VERBOSE : 0;
  const counted = countTokens(JSON.parse(text) as Body, Number(charactersPerToken)) + added;
  const tokens = options.includes("silent") ? null : counted;
  const events = eventsOf(path, isSummary ? summaryFor(options) : "Yes, of course.", tokens);
  answer.end(events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join(""));
}

const summaryFor = (options: string[]): string => (options.includes("blank") ? " " : `SUMMARY-${(summaries += 1)}`);

/** The tokens of a call, as this provider counts them. */
export function countTokens(body: Body, charactersPerToken: number): number {
  const system = body.system ?? body.systemInstruction?.parts.map(({ text }) => text).join("\n\n");
  const contents = body.messages?.map(({ content }) => content);
  const parts = body.contents?.map((content) => content.parts.map(({ text }) => text).join("\n\n"));
  const texts = [...(system === undefined ? [] : [system]), ...(contents ?? []), ...(parts ?? [])];
  return texts.reduce(
    (total, text) => total + Math.ceil(text.length / charactersPerToken) + TOKENS_PER_MESSAGE,
    TOKENS_PER_CALL,
  );
}

function eventsOf(path: string, text: string, tokens: number | null): unknown[] {
  if (path.includes("/messages"))
    return [
      { type: "message_start", message: { id: "m", model: "m", usage: { input_tokens: tokens ?? undefined } } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 4 } },
      { type: "message_stop" },
    ];
  if (path.includes("GenerateContent"))
    return [
      {
        candidates: [{ content: { parts: [{ text }], role: "model" }, index: 0, finishReason: "STOP" }],
        ...(tokens === null ? {} : { usageMetadata: { promptTokenCount: tokens, candidatesTokenCount: 4 } }),
      },
    ];
  return [
    { choices: [{ index: 0, delta: { content: text }, finish_reason: "stop" }] },
    ...(tokens === null ? [] : [{ choices: [], usage: { prompt_tokens: tokens, completion_tokens: 4 } }]),
    "[DONE]",
  ];
}
