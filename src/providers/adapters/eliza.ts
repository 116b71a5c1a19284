/**
 * The ELIZA connector: a conversation without a model, network or key, for demos and tests. Its phrases are in
 * `eliza-script.ts`. Effects: timers.
 */
import { numberOf } from "../../core/call-params.ts";
import type { Provider } from "../call/provider.ts";
import { TOKENS_PER_SECOND, emitTokens } from "./token-pacing.ts";
import { KEYWORDS, MEMORIES, FALLBACKS, REFLECTIONS } from "./eliza-script.ts";

/**
 * Talks like Weizenbaum's DOCTOR (1966). The reply depends only on the conversation, so the same conversation always
 * has the same reply. Params: `tokens_per_second`.
 */
export const eliza: Provider = {
  defaultUri: "",
  required: [],
  optional: ["model"],
  unsupportedUrl: null,
  params: ["tokens_per_second"],
  paramRules: new Map([["tokens_per_second", TOKENS_PER_SECOND]]),
  maxAttempts: 1,
  alternateRoles: false,
  prepare: ({ request, providerParams }) => ({
    url: null,
    body: null,
    model: request.model,
    async *make(signal) {
      const userTexts = request.messages.filter(({ role }) => role === "user").map(({ content }) => content);
      const reply = respond(userTexts);
      try {
        yield* emitTokens(reply, numberOf(providerParams["tokens_per_second"]), signal);
      } catch {
        return;
      }
      const usage = { inputTokens: countWords(userTexts.at(-1) ?? ""), outputTokens: countWords(reply) };
      yield [{ type: "end", finishReason: "stop", model: request.model || "eliza", usage, providerRequestId: null }];
    },
  }),
};

const countWords = (text: string): number => text.split(/\s+/).filter(Boolean).length;

/** Replies to the last text of the user. Each turn uses the next phrase of a list. */
export function respond(userTexts: string[]): string {
  const turn = userTexts.length - 1;
  const sentence = (userTexts.at(-1) ?? "").toLowerCase().replace(/[’`]/g, "'");
  for (const { pattern, answers } of KEYWORDS) {
    // A phrase ends with its clause.
    const found = pattern.exec(sentence)?.map((part: string | undefined) => (part ?? "").split(/[.,;!?\n]/)[0] ?? "");
    if (found) return fill(pick(answers, turn), found);
  }
  const memory = findMemory(userTexts.slice(0, -1));
  return memory === null ? pick(FALLBACKS, turn) : fill(pick(MEMORIES, turn), ["", memory]);
}

const pick = (phrases: readonly string[], turn: number): string => phrases[turn % phrases.length] ?? "";

function findMemory(earlierTexts: string[]): string | null {
  for (const sentence of earlierTexts.toReversed()) {
    const found = /\bmy ([^.,;!?\n]{2,80})/.exec(sentence.toLowerCase());
    if (found?.[1]) return found[1];
  }
  return null;
}

const fill = (phrase: string, found: string[]): string =>
  phrase.replace(/\$(\d)/g, (_, group: string) => reflect(found[Number(group)] ?? ""));

const reflect = (phrase: string): string =>
  phrase
    .trim()
    .split(/\s+/)
    .map((word) => REFLECTIONS[word] ?? word)
    .join(" ");
