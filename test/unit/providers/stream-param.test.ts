/** The param `stream`: a reply is streamed unless it is `false`. */
import { expect, it } from "vitest";
import type { ReplyRequest } from "../../../src/core/reply.ts";
import { anthropic } from "../../../src/providers/adapters/anthropic.ts";
import { googleGemini } from "../../../src/providers/adapters/google-gemini.ts";
import { VENDORS, openaiCompatible } from "../../../src/providers/adapters/openai-compatible.ts";

const request: ReplyRequest = {
  endpointId: "e",
  callLimits: { maxCallsPerSecond: 0, maxConcurrency: 0, since: 0 },
  connectorType: "openai-connector",
  uri: "",
  token: "",
  model: "m",
  params: "{}",
  messages: [{ role: "user", content: "Hi" }],
  previousCalls: 0,
  withReceipt: false,
};
const openai = openaiCompatible(VENDORS.openai);

it.each([{}, { stream: true }])("asks for a stream, with the usage: %j", (params) => {
  expect(openai.buildRequest(request, params).body).toMatchObject({
    stream: true,
    stream_options: { include_usage: true },
  });
  expect(anthropic.buildRequest(request, params).body).toMatchObject({ stream: true });
  expect(googleGemini.buildRequest(request, params).url).toContain(":streamGenerateContent");
});

it("asks for the whole reply at once where `stream` is false", () => {
  const params = { stream: false };
  expect(openai.buildRequest(request, params).body).toEqual({ model: "m", messages: request.messages, stream: false });
  expect(anthropic.buildRequest(request, params).body).toMatchObject({ stream: false });
  expect(googleGemini.buildRequest(request, params).url).toMatch(/:generateContent$/);
});
