/**
 * For each format: a valid answer reads the same however it is split, joined and decorated by servers and networks. An answer
 * with one changed byte in its text never does.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAnswer } from "../../support/read-answer.ts";
import type { FormatName } from "../../support/read-answer.ts";

const encoder = new TextEncoder();

interface Answer {
  pieces: string[];
  finishReason: "stop" | "length";
  usage: { inputTokens: number; outputTokens: number };
}

/** The documents of an answer. Text of the model is between two `§`. */
type Documents = (answer: Answer, shape: Shape) => object[];

/** The variants in which servers write an answer. */
interface Shape {
  asParts: boolean;
  usageApart: boolean;
  hasMarker: boolean;
}

const mark = (text: string) => `§${text}§`;

const FORMATS: Record<FormatName, { documents: Documents; marker: string | null; oddities: string[] }> = {
  openai: {
    documents: ({ pieces, finishReason, usage }, { asParts, usageApart }) => {
      const counts = { usage: { prompt_tokens: usage.inputTokens, completion_tokens: usage.outputTokens } };
      const content = (text: string) => (asParts ? [{ type: "text", text: mark(text) }] : mark(text));
      return [
        {
          id: "c",
          model: "m",
          choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
        },
        ...pieces.map((text) => ({ id: "c", choices: [{ index: 0, delta: { content: content(text) } }] })),
        { id: "c", choices: [{ index: 0, delta: {}, finish_reason: finishReason }], ...(usageApart ? {} : counts) },
        ...(usageApart ? [{ id: "c", choices: [], ...counts }] : []),
      ];
    },
    marker: "[DONE]",
    oddities: [
      "data: null\n\n",
      'data: {"choices":[{"index":0,"delta":[]}]}\n\n',
      'data: {"choices":[],"usage":{}}\n\n',
    ],
  },
  anthropic: {
    documents: ({ pieces, finishReason, usage }) => [
      {
        type: "message_start",
        message: { id: "m", model: "m", usage: { input_tokens: usage.inputTokens, output_tokens: 1 } },
      },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      ...pieces.map((text) => ({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text: mark(text) },
      })),
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: finishReason === "stop" ? "end_turn" : "max_tokens" },
        usage: { output_tokens: usage.outputTokens },
      },
    ],
    marker: '{"type":"message_stop"}',
    oddities: ['event: ping\ndata: {"type":"ping"}\n\n', 'data: {"type":"a_new_type","usage":null}\n\n'],
  },
  gemini: {
    documents: ({ pieces, finishReason, usage }, { asParts, usageApart }) => {
      const counts = {
        usageMetadata: { promptTokenCount: usage.inputTokens, candidatesTokenCount: usage.outputTokens },
      };
      const thought = asParts ? [{ text: "hm", thought: true }] : [];
      return [
        ...pieces.map((text) => ({
          candidates: [{ content: { parts: [...thought, { text: mark(text) }] }, index: 0 }],
        })),
        {
          candidates: [{ index: 0, finishReason: finishReason === "stop" ? "STOP" : "MAX_TOKENS" }],
          ...(usageApart ? {} : counts),
        },
        ...(usageApart ? [{ responseId: "r", ...counts }] : []),
      ];
    },
    marker: null,
    oddities: ['data: {"candidates":[],"usageMetadata":{}}\n\n', "data: null\n\n"],
  },
};

const COMMENTS = [": keep-alive\n\n", "\n", "retry: 10\n\n", "data: : PROCESSING\n\n", "event: message\n"];

const answers: fc.Arbitrary<Answer> = fc.record({
  pieces: fc.array(
    fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("§")),
    { minLength: 1, maxLength: 6 },
  ),
  finishReason: fc.constantFrom("stop", "length"),
  usage: fc.record({ inputTokens: fc.nat(100_000), outputTokens: fc.integer({ min: 1, max: 100_000 }) }),
});

const shapes = fc.record({ asParts: fc.boolean(), usageApart: fc.boolean(), hasMarker: fc.boolean() });

const decorations = fc.record({
  /** Positions and kinds of the oddities. */
  odd: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 4 }),
  lineEnd: fc.constantFrom("\n", "\r\n", "\r"),
  blank: fc.constantFrom("data: ", "data:"),
  /** How many of the last line ends are missing. */
  missing: fc.nat(2),
  cuts: fc.array(fc.nat(), { maxLength: 8 }),
  whole: fc.constantFrom("stream", "lines"),
});
type Decoration = typeof decorations extends fc.Arbitrary<infer D> ? D : never;

/** @returns the bytes of an answer, and the positions of the model's text in them */
function write(format: FormatName, answer: Answer, shape: Shape, decoration: Decoration) {
  const { documents, marker, oddities } = FORMATS[format];
  const { odd, lineEnd, blank, missing, whole } = decoration;
  const lines = documents(answer, shape).map((document) => JSON.stringify(document));
  if (marker !== null && shape.hasMarker) lines.push(marker);
  // JSON lines have no comments.
  const events = lines.map((line) => (whole === "lines" && line !== "[DONE]" ? `${line}\n` : `${blank}${line}\n\n`));
  const strange = whole === "lines" ? [] : [...COMMENTS, ...oddities];
  for (const [place, kind] of odd) {
    // Nothing is read after the terminal marker.
    if (strange.length > 0) events.splice(place % events.length, 0, strange[kind % strange.length] ?? "");
  }
  const body = events.join("").replaceAll("\n", lineEnd);
  const cut = body.slice(0, body.length - Math.min(missing, whole === "lines" ? 1 : 2) * lineEnd.length);
  const parts = cut.split("§");
  const text: number[] = [];
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const length = encoder.encode(part).length;
    if (index % 2 === 1) text.push(...Array.from({ length }, (_, offset) => at + offset));
    at += length;
  }
  return { bytes: encoder.encode(parts.join("")), text };
}

function cutUp(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  );
  return places.slice(1).map((place, index) => bytes.slice(places[index], place));
}

const RUNS = { numRuns: 300 };

describe.each(["openai", "anthropic", "gemini"] as const)("an answer in the format of %s", (format) => {
  it("reads the same however it is split, joined and decorated", async () => {
    await fc.assert(
      fc.asyncProperty(answers, shapes, decorations, async (answer, shape, decoration) => {
        const { bytes } = write(format, answer, shape, decoration);
        const { text, last } = await readAnswer(format, cutUp(bytes, decoration.cuts));
        expect(text).toBe(answer.pieces.join(""));
        expect(last).toMatchObject({ type: "end", finishReason: answer.finishReason, usage: answer.usage });
      }),
      RUNS,
    );
  });

  it("does not read the same when a byte of its text has changed", async () => {
    await fc.assert(
      fc.asyncProperty(
        answers,
        shapes,
        decorations,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (answer, shape, decoration, place, change) => {
          const { bytes, text: places } = write(format, answer, shape, decoration);
          const at = places[place % places.length] ?? 0;
          bytes[at] = (bytes[at] ?? 0) ^ change;
          const { text, last } = await readAnswer(format, cutUp(bytes, decoration.cuts));
          expect(last.type === "end" && text === answer.pieces.join("")).toBe(false);
        },
      ),
      RUNS,
    );
  });
});
