/** Which messages of random conversations fit into random contexts. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { factsAfter } from "../../../src/core/context.ts";
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
  .map((messages): PastMessage[] => messages.map((message, index) => ({ ...message, seq: index + 1 })));

const inputs = fc
  .record({
    messages: conversations,
    maxTokens: fc.integer({ min: 1, max: 2_000 }),
    keep: fc.constantFrom("newest" as const, "summary" as const),
    tokenScale: fc.option(fc.double({ min: 1, max: 5, noNaN: true }), { nil: undefined }),
    maxMessages: fc.integer({ min: 0, max: 80 }),
    systemPrompt: fc.option(contents),
    prompt: contents,
    alternateRoles: fc.boolean(),
  })
  .map(({ messages, maxTokens, keep, tokenScale, maxMessages, systemPrompt, prompt, alternateRoles }) => {
    const target = { endpoint: anEndpoint, previousCalls: 0, alternateRoles };
    const build = (history: ChosenHistory) => chatbotRequest({ ...aChatbot, systemPrompt }, target, prompt, history);
    const settings: ContextSettings = { maxTokens, keep };
    const input: FitInput = { settings, tokenScale, maxMessages, past: pastOf(messages), build };
    return { messages, input, systemPrompt, prompt };
  });

describe("a history that is fitted into a context", () => {
  it("never exceeds it by the estimate, has the newest messages, and always system prompt and prompt", () => {
    fc.assert(
      fc.property(inputs, fc.option(contents), ({ messages, input, systemPrompt, prompt }, text) => {
        const { settings, build, tokenScale = 1, maxMessages } = input;
        const fitter = new ContextFitter(input);
        if (fitter.isTooSmall) return;
        const summary = text === null ? null : { text, upTo: Math.floor(messages.length / 3) };
        const { history, sent } = fitter.fit(summary);
        const request = build(history);
        expect(sent.characters).toBe(charactersOf(request));
        expect(sent.estimatedTokens).toBe(Math.ceil((sent.characters / 4) * tokenScale));
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
        maxTokens: 1000,
        characters: 400,
        estimatedTokens: 100,
        kept: 1,
        dropped: 0,
        isTrimmed: false,
        ...fields,
      },
    }),
  });
  const scaleAfter = (...replies: ReturnType<typeof reply>[]): ContextFacts["tokenScale"] =>
    factsAfter({}, replies).tokenScale;

  it("is known after a call that is long enough, and never less than the estimate", () => {
    expect(scaleAfter()).toBeUndefined();
    expect(scaleAfter(reply(1, 200))).toBe(2);
    expect(scaleAfter(reply(1, 50))).toBe(1);
    expect(scaleAfter(reply(1, null))).toBe(1);
    expect(scaleAfter(reply(1, 200, { characters: 240 }))).toBeUndefined();
    expect(scaleAfter(reply(1, 200, {}, "error"))).toBeUndefined();
  });

  it("rises at once and fades slowly", () => {
    expect(scaleAfter(reply(1, 200), reply(2, 300))).toBe(3);
    expect(scaleAfter(reply(1, 200), reply(2, 100))).toBeCloseTo(1.9);
    expect(scaleAfter(reply(1, 200), ...Array.from({ length: 50 }, (_, n) => reply(n + 2, 100)))).toBe(1);
  });
});
