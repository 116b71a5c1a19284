/** What a provider says about a reply is cut at 200 characters, whatever its format and wherever it stands. */
import { describe, expect, it } from "vitest";
import type { ConnectorType } from "../../../src/core/endpoint.ts";
import { callProvider, makeRequest } from "../../support/connectors.ts";

const MAX = 200;
const long = (letter: string) => letter.repeat(1_000);
const [ID, MODEL, REASON] = [long("i"), long("m"), long("q")];

const chatCompletion = [
  { id: ID, model: MODEL, choices: [{ index: 0, delta: { content: "Hello" }, finish_reason: REASON }] },
  "[DONE]",
];
const ANSWERS: [ConnectorType, unknown[]][] = [
  ["openai-connector", chatCompletion],
  ["azure-openai-connector", chatCompletion],
  ["together-connector", chatCompletion],
  ["workers-ai-connector", chatCompletion],
  [
    "anthropic-connector",
    [
      { type: "message_start", message: { id: ID, model: MODEL } },
      { type: "content_block_delta", delta: { text: "Hello" } },
      { type: "message_delta", delta: { stop_reason: REASON } },
      { type: "message_stop" },
    ],
  ],
  [
    "google-gemini-connector",
    [
      {
        responseId: ID,
        modelVersion: MODEL,
        candidates: [{ content: { parts: [{ text: "Hello" }] }, finishReason: REASON }],
      },
    ],
  ],
];

const scene = (data: unknown[]) => {
  const text = data.map((item) => `data: ${typeof item === "string" ? item : JSON.stringify(item)}\n\n`).join("");
  return `chunk-${encodeURIComponent(text)}`;
};

describe("of a reply", () => {
  it.each(ANSWERS)("by %s: id, model and finish reason", async (type, data) => {
    const { text, last } = await callProvider(makeRequest(type, scene(data)));
    expect(text).toBe("Hello");
    expect(last).toMatchObject({ finishReason: "other", finishReasonRaw: REASON.slice(0, MAX) });
    expect(last).toMatchObject({ model: MODEL.slice(0, MAX) });
    // A server of the tests names each answer in a header, except for the binding of Workers AI.
    expect(last.providerRequestId?.length).toBeLessThanOrEqual(MAX);
    expect(last.metrics.receipt?.attempts).toMatchObject([{ providerRequestId: last.providerRequestId }]);
  });

  it("that fails: id, finish reason and the words", async () => {
    const reason = `error_${long("q")}`;
    const data = [{ id: ID, choices: [{ index: 0, delta: { content: "Hello" }, finish_reason: reason }] }, "[DONE]"];
    const { last } = await callProvider(makeRequest("openai-connector", scene(data)));
    expect(last).toMatchObject({ type: "failed", finishReasonRaw: reason.slice(0, MAX) });
    expect(last.providerRequestId).toBe(ID.slice(0, MAX));
    expect((last as { message: string }).message.length).toBeLessThanOrEqual(1_000);
  });

  it("the request id in a header", async () => {
    const { last } = await callProvider(makeRequest("openai-connector", "long-id"));
    expect(last.providerRequestId).toBe(ID.slice(0, MAX));
  });
});
