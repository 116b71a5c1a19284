/** Which messages of random conversations fit into random contexts. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { charactersFor, estimateTokens, factsAfter } from "../../../src/core/context.ts";
import type { ContextFacts, ContextSettings } from "../../../src/core/context.ts";
import type { SentContext } from "../../../src/core/message.ts";
import { ContextFitter, charactersOf } from "../../../src/turn/fit-context.ts";
import type { ChosenHistory, FitInput, PastMessage } from "../../../src/turn/fit-context.ts";
import { chatbotRequest } from "../../../src/turn/prepare-turn.ts";
import { Transcript } from "../../../src/turn/summary.ts";
import { makeReplyDetail } from "../../support/replies.ts";
import { aChatbot, anEndpoint } from "../../support/session-world.ts";

const pastOf = (messages: PastMessage[]) => ({
  count: messages.length,
  newestFirst: () => messages.toReversed(),
});

const contents = fc.string({ minLength: 1, maxLength: 200 }).map((text) => `x${text}`);

const conversations = fc
  .array(
    fc.record({ role: fc.constantFrom("user" as const, "assistant" as const, "system" as const), content: contents }),
    { maxLength: 60 },
  )
  .map((messages): PastMessage[] =>
    messages.map(({ role, content }, index) => ({ role, content: `${index} ${content}`, seq: index + 1 })),
  );

const inputs = fc
  .record({
    messages: conversations,
    maxTokens: fc.integer({ min: 1, max: 2_000 }),
    keep: fc.constantFrom("newest" as const, "summary" as const),
    facts: fc.constantFrom({}, { lastScale: 3 }, { lastScale: 1, tokenScale: 1.5 }, { lastScale: 4, tokenScale: 4 }),
    maxMessages: fc.integer({ min: 0, max: 80 }),
    systemPrompt: fc.option(contents),
    prompt: contents,
    alternateRoles: fc.boolean(),
  })
  .map(({ messages, maxTokens, keep, facts, maxMessages, systemPrompt, prompt, alternateRoles }) => {
    const target = { endpoint: anEndpoint, previousCalls: 0, alternateRoles };
    const build = (history: ChosenHistory) =>
      chatbotRequest({ ...aChatbot, systemPrompt }, target, { prompt, withReceipt: false }, history);
    const settings: ContextSettings = { maxTokens, keep };
    const input: FitInput = { settings, facts, maxMessages, past: pastOf(messages), build };
    return { messages, input, systemPrompt, prompt };
  });

describe("a history that is fitted into a context", () => {
  it("never exceeds it by the estimate, has the newest messages, and always system prompt and prompt", () => {
    fc.assert(
      fc.property(inputs, fc.option(contents), ({ messages, input, systemPrompt, prompt }, text) => {
        const { settings, build, facts, maxMessages } = input;
        const fitter = new ContextFitter(input);
        if (fitter.isTooSmall) return;
        const summary = text === null ? null : { text, upTo: Math.floor(messages.length / 3) };
        const { history, sent } = fitter.fit(summary);
        const request = build(history);
        expect(sent.characters).toBe(charactersOf(request));
        expect(sent.estimatedTokens).toBe(estimateTokens(sent.characters, facts));
        expect(sent.estimatedTokens).toBeLessThanOrEqual(settings.maxTokens);
        expect(sent.kept + sent.dropped).toBe(messages.length + 1);
        expect(history.messages.length).toBe(sent.kept - 1);
        expect(history.messages.length).toBeLessThanOrEqual(maxMessages);
        const texts = request.messages.map(({ content }) => content).join("\n");
        expect(texts).toContain(prompt);
        if (systemPrompt !== null) expect(texts).toContain(systemPrompt);
        // In their order, and none that is newer is left out, but answers at the start.
        const first = messages.findIndex(({ content }) => content === history.messages[0]?.content);
        const newer = history.messages.length === 0 ? [] : messages.slice(Math.max(0, first));
        expect(history.messages.filter(({ role }) => role === "user")).toEqual(
          newer.filter(({ role }) => role === "user").slice(-history.messages.length),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it("and what is to be summarised with it are all messages after the last summary", () => {
    fc.assert(
      fc.property(inputs, ({ messages, input }) => {
        const fitter = new ContextFitter({ ...input, settings: { ...input.settings, keep: "summary" } });
        const after = Math.floor(messages.length / 4);
        if (fitter.isTooSmall || fitter.fit({ text: "", upTo: after }).isWhole) return;
        const old = fitter.toSummarise(after, 1_000_000);
        const upTo = old.at(-1)?.seq ?? 0;
        const { history } = fitter.fit({ text: "s".repeat(fitter.maxSummaryCharacters), upTo });
        expect(old[0]?.seq).toBe(after + 1);
        expect([...old, ...history.messages]).toEqual(messages.slice(after));
        const [first] = history.messages;
        if (first) expect(first.role).toBe("user");
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a transcript", () => {
  it("has every character of every message once, in parts that are no longer than asked for", () => {
    fc.assert(
      fc.property(conversations, fc.integer({ min: 100, max: 500 }), (messages, size) => {
        const transcript = new Transcript(messages, 0);
        let all = "";
        let upTo = 0;
        for (let part = transcript.take(size); part; part = transcript.take(size)) {
          expect(part.text.length).toBeLessThanOrEqual(size);
          expect(part.upTo).toBeGreaterThanOrEqual(upTo);
          upTo = part.upTo;
          all += part.text;
        }
        expect(transcript.isEmpty).toBe(true);
        expect(upTo).toBe(messages.length);
        const whole = messages.map(({ role, content }) => `${role}: ${content}`).join("");
        expect(all.replaceAll("\n\n", "")).toBe(whole.replaceAll("\n\n", ""));
      }),
    );
  });
});

describe("how a provider counts", () => {
  const reply = (
    seq: number,
    inputTokens: number | null,
    fields: Partial<SentContext> = {},
    status = "ok" as "ok" | "error",
  ) => ({
    seq,
    reply: makeReplyDetail({
      status,
      usage: inputTokens === null ? null : { inputTokens, outputTokens: 1 },
      context: {
        maxTokens: 400,
        characters: 400,
        estimatedTokens: 100,
        kept: 1,
        dropped: 0,
        isTrimmed: false,
        ...fields,
      },
    }),
  });
  const factsOf = (...replies: ReturnType<typeof reply>[]): ContextFacts => factsAfter({}, replies);

  it("is known after a call, and never less than the estimate", () => {
    expect(factsOf()).toEqual({});
    expect(factsOf(reply(1, 200))).toEqual({ lastScale: 2, tokenScale: 2 });
    expect(factsOf(reply(1, 50))).toEqual({ lastScale: 1, tokenScale: 1 });
    expect(factsOf(reply(1, null))).toEqual({ lastScale: 1, tokenScale: 1 });
    expect(factsOf(reply(1, 200, {}, "error"))).toEqual({});
  });

  it("is not in the estimate after a short call, but history is chosen with it", () => {
    const facts = factsOf(reply(1, 200, { maxTokens: 401 }));
    expect(facts).toEqual({ lastScale: 2 });
    expect(estimateTokens(401, facts)).toBe(101);
    expect(charactersFor(1000, facts)).toBe(Math.floor(4000 / 2.1));
  });

  it("is taken as 2.5 times the estimate before that, and with a margin afterwards", () => {
    expect(charactersFor(1000, {})).toBe(1600);
    expect(charactersFor(1000, { lastScale: 1, tokenScale: 1 })).toBe(3809);
    expect(charactersFor(1000, { lastScale: 1, tokenScale: 2 })).toBe(1904);
  });

  it("rises at once and falls by half at most", () => {
    expect(factsOf(reply(1, 200), reply(2, 300)).tokenScale).toBe(3);
    expect(factsOf(reply(1, 600), reply(2, 100))).toEqual({ lastScale: 3, tokenScale: 3 });
    expect(factsOf(reply(1, 600), reply(2, 100), reply(3, 100), reply(4, 100)).lastScale).toBe(1);
  });
});
