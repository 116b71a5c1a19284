/** Reading a provider's answer: text, finish reason, usage and errors, in every form that servers send. */
import { describe, expect, it } from "vitest";
import { delta, finish, readAnswer, sse } from "../../support/read-answer.ts";
import type { FormatName } from "../../support/read-answer.ts";

const DONE = "[DONE]";

async function read(body: string, format: FormatName = "openai", arrival: Parameters<typeof readAnswer>[2] = {}) {
  const { text, last } = await readAnswer(format, [body], arrival);
  return { text, last, code: last.type === "failed" ? last.code : "ok" };
}

describe("an answer that cannot be read is never ok", () => {
  it.each([
    ["an error object", { error: { message: "boom", type: "server_error" } }, "provider_error"],
    ["an error text", { error: "boom" }, "provider_error"],
    ["an error flag", { error: true, message: "boom" }, "provider_error"],
    ["a list of errors", [{ error: { code: 500, message: "boom" } }], "provider_error"],
    ["several errors", { errors: [{ message: "boom" }, { message: "bang" }], success: false }, "provider_error"],
    ["an object of type error", { type: "error", code: "429", message: "boom" }, "rate_limited"],
    ["an object called error", { object: "error", message: "boom", code: 400 }, "provider_rejected"],
    ["a text with an error code", { text: "boom", error_code: 50_001 }, "provider_error"],
    ["a vendor's own field", { choices: [], x_vendor: { error: "boom" } }, "provider_error"],
    ["an error in the choice", { choices: [{ delta: {}, error: { code: 502, message: "boom" } }] }, "provider_error"],
    ["a message alone", { message: "boom" }, "provider_error"],
    ["a detail alone", { detail: [{ loc: ["body"], msg: "boom" }] }, "provider_error"],
    ["an error in plain words", "ERROR: boom", "provider_error"],
  ])("%s", async (_, data, code) => {
    const behindText = await read(sse(delta("par"), data, DONE));
    expect(behindText).toMatchObject({ text: "par", code, last: { message: expect.stringContaining("boom") } });
    expect(await read(sse(data, DONE))).toMatchObject({ text: "", code });
    // Even if the server continues as if nothing had happened.
    expect(await read(sse(delta("par"), data, finish("stop"), DONE))).toMatchObject({ code });
  });

  it.each([
    "event: error\ndata: boom\n\ndata: [DONE]\n\n",
    'event: error\ndata: {"why": "boom"}\n\n',
    'error: {"code": 400, "message": "boom"}\n\ndata: [DONE]\n\n',
    '{"error": {"message": "boom"}}',
    '{\n  "error": {\n    "message": "boom"\n  }\n}\n',
    '[{\n  "error": {\n    "message": "boom"\n  }\n}\n]',
    "<!doctype html><html><head><title>502 boom</title></head><body><p>Go away</p></body></html>",
    "boom",
  ])("an error outside the format: %j", async (body) => {
    for (const format of ["openai", "anthropic", "gemini"] as const) {
      const { last, code } = await read(body, format);
      expect([format, last.type]).toEqual([format, "failed"]);
      expect(code).not.toBe("incomplete_stream");
      expect(last).toMatchObject({ message: expect.stringContaining("boom") });
    }
  });

  it.each([
    ["text in an unknown place", sse({ choices: [{ delta: { words: "Hello" } }] }, finish("stop"), DONE)],
    ["raw text", sse("Hello", DONE)],
    ["another format", sse({ candidates: [{ content: { parts: [{ text: "Hello" }] } }] }, DONE)],
    ["a number", sse("12", finish("stop"), DONE)],
  ])("%s fails, and the error shows what arrived", async (_, body) => {
    expect(await read(body)).toMatchObject({ text: "", code: "bad_chunk" });
  });

  it("an end without any text is incomplete", async () => {
    for (const body of ["", sse(DONE), sse({ choices: [] }, DONE), sse(delta(""), DONE), ": waiting\n\n"])
      expect(await read(body)).toMatchObject({ code: "incomplete_stream" });
  });
});

describe("a finish reason", () => {
  it.each([
    ["model_length", "length"],
    ["STOP", "stop"],
    ["eos_token", "stop"],
    ["tool_calls", "tool_calls"],
    ["sensitive", "content_filter"],
    ["repetition", "other"],
    ["constructor", "other"],
    ["SAFETY", "content_filter"],
    ["max_tokens", "length"],
  ])("%s is %s, and the provider's word is kept", async (word, finishReason) => {
    const { last } = await read(sse(delta("ab"), finish(word), DONE));
    expect(last).toMatchObject({ type: "end", finishReason, finishReasonRaw: word });
  });

  it.each([
    ["error", "provider_error"],
    ["abort", "provider_error"],
    ["insufficient_system_resource", "provider_overloaded"],
    ["function_call_filter: MALFORMED_FUNCTION_CALL", "provider_error"],
  ])("%s fails the reply as %s", async (word, code) => {
    expect(await read(sse(delta("half"), finish(word), DONE))).toMatchObject({
      text: "half",
      code,
      last: { finishReasonRaw: word, message: expect.stringContaining(word) },
    });
  });

  it.each(["", "null", null, "a-new-word"])("%j does not replace a known one", async (word) => {
    expect((await read(sse(delta("ab"), finish("length"), finish(word), DONE))).last).toMatchObject({
      finishReason: "length",
      finishReasonRaw: "length",
    });
  });

  it("defaults to stop when the terminal marker shows that the reply is complete", async () => {
    const { last } = await read(sse(delta("ab"), DONE));
    expect(last).toMatchObject({ finishReason: "stop" });
    expect(last).not.toHaveProperty("finishReasonRaw");
  });

  it("reports tool calls, and a note reports a reply of reasoning alone", async () => {
    const call = { choices: [{ delta: { tool_calls: [{ function: { name: "f", arguments: "{}" } }] } }] };
    expect((await read(sse(call, finish("stop"), DONE))).last).toMatchObject({
      finishReason: "tool_calls",
      notes: [expect.stringContaining("tool")],
    });
    const reasoning = { choices: [{ delta: { reasoning_content: "Let me see" } }] };
    expect((await read(sse(reasoning, finish("length"), DONE))).last).toMatchObject({
      finishReason: "length",
      notes: [expect.stringContaining("reasoning and no text")],
    });
  });
});

describe("an oddity beside the text loses nothing", () => {
  it.each([
    ["parts", [{ type: "text", text: "ab" }]],
    ["parts with what was thought", [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }, "ab"]],
    ["parts without a type", [{ text: "a" }, { text: "b" }]],
    [
      "parts with a reference",
      [
        { type: "reference", reference_ids: [1] },
        { type: "text", text: "ab" },
      ],
    ],
    ["one part", { type: "text", text: "ab" }],
  ])("content as %s", async (_, content) => {
    expect(await read(sse(delta(content), finish("stop"), DONE))).toMatchObject({ text: "ab", code: "ok" });
  });

  it.each([
    ["a number", delta(0.5)],
    ["the same in Workers AI's own form", { response: 0.5 }],
  ])("%s as content", async (_, chunk) => {
    expect(await read(sse(chunk, DONE))).toMatchObject({ text: "0.5", code: "ok" });
  });

  it.each([
    "null",
    ": OPENROUTER PROCESSING",
    "[]",
    "{}",
    '{"type":"ping"}',
    "ping",
    '{"choices":[{"delta":[]}]}',
    '{"choices":[{"delta":null,"finish_reason":null}],"usage":[]}',
    '{"choices":[],"usage":""}',
    '{"choices":[],"usage":{}}',
    '{"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":"many"}}',
    '{"choices":[{"delta":{}}],"id":7,"model":{"name":"m"},"created":"now"}',
    '{"choices":[{"delta":{}}],"error":null,"errors":[],"x_vendor":{"error":null}}',
  ])("%s between two chunks", async (odd) => {
    const { text, last } = await read(sse(delta("a"), odd, delta("b"), finish("stop"), DONE));
    expect([text, last]).toMatchObject(["ab", { type: "end", finishReason: "stop", usage: null }]);
    expect(last).not.toHaveProperty("notes");
  });

  it("unknown fields of a complete answer are skipped, and noted", async () => {
    const { text, last } = await read(sse(delta("ab"), { citations: ["https://example.org"] }, finish("stop"), DONE));
    expect([text, last]).toMatchObject(["ab", { type: "end", notes: [expect.stringContaining("citations")] }]);
  });

  it("a prompt that Gemini blocks keeps Gemini's reason", async () => {
    const { last } = await read(sse({ promptFeedback: { blockReason: "OTHER" } }), "gemini");
    expect(last).toMatchObject({ type: "end", finishReason: "content_filter", finishReasonRaw: "OTHER" });
  });

  it("a refusal is the answer, even beside an empty content", async () => {
    const refusal = { choices: [{ delta: { content: "", refusal: "I cannot." } }] };
    expect(await read(sse(refusal, finish("stop"), DONE))).toMatchObject({ text: "I cannot.", code: "ok" });
  });
});

describe("choices", () => {
  const at = (index: number, content: string) => ({ choices: [{ index, delta: { content } }] });

  it("that count their tokens by index are one reply", async () => {
    const chunks = ["I", "'m", " fine"].map((text, place) => at(place + 1, text));
    expect(await read(sse(...chunks, DONE))).toMatchObject({ text: "I'm fine" });
  });

  it("of several replies are separated", async () => {
    const chunks = [at(0, ""), at(1, ""), at(0, "a"), at(1, "x"), at(0, "b"), at(1, "y"), DONE];
    expect(await read(sse(...chunks))).toMatchObject({ text: "ab" });
    const asked = await read(sse(at(0, "a"), at(1, "x"), at(0, "b"), DONE));
    expect(asked.text).toBe("ab");
    const together = {
      choices: [
        { index: 1, delta: { content: "x" } },
        { index: 0, delta: { content: "a" } },
      ],
    };
    expect(await read(sse(together, DONE))).toMatchObject({ text: "a" });
  });

  it("may have a message instead of a delta: complete, repeated, or in pieces", async () => {
    const message = (content: string, more: object = {}) => ({ choices: [{ message: { content }, ...more }] });
    expect(await read(sse(message("ab", { finish_reason: "stop" }), DONE))).toMatchObject({ text: "ab" });
    expect(await read(sse(message("a"), message("ab"), message("abc"), DONE))).toMatchObject({ text: "abc" });
    expect(await read(sse(message("a"), message("b"), message("c"), DONE))).toMatchObject({ text: "abc" });
    const both = (text: string, whole: string) => ({
      choices: [{ delta: { content: text }, message: { content: whole } }],
    });
    expect(await read(sse(both("a", "a"), both("b", "ab"), both("", "ab [1]"), DONE))).toMatchObject({
      text: "ab [1]",
    });
    expect(await read(sse(both("a", "A"), both("b", "Ab"), DONE))).toMatchObject({ text: "ab" });
  });

  it("may have their text outside the delta", async () => {
    const chunk = (text: string) => ({ object: "text_completion", choices: [{ text, index: 0, finish_reason: null }] });
    expect(await read(sse(chunk("a"), chunk("b"), DONE))).toMatchObject({ text: "ab" });
  });
});

describe("the end of an answer", () => {
  const whole = sse(delta("ab"), finish("stop"));

  it("is recognized without a terminal marker", async () => {
    expect((await read(whole)).last).toMatchObject({ type: "end", finishReason: "stop" });
    expect((await read(whole)).last).not.toHaveProperty("notes");
    const gemini = sse({ candidates: [{ content: { parts: [{ text: "ab" }] }, finishReason: "STOP" }] });
    expect((await read(gemini, "gemini")).last).not.toHaveProperty("notes");
  });

  it("is recognized when the connection breaks after the finish reason, and noted", async () => {
    const { text, last } = await read(whole, "openai", { breaks: true });
    expect([text, last]).toMatchObject(["ab", { type: "end", notes: [expect.stringContaining("broke")] }]);
    const half = await read(sse(delta("ab")), "openai", { breaks: true });
    expect(half).toMatchObject({ text: "ab", code: "connection_lost" });
  });

  it.each(["data: [DONE]", "data: [DONE] ", "data:[DONE]\r", "data: [DONE]\n"])("is recognized in %j", async (end) => {
    expect((await read(sse(delta("ab")) + end)).last).toMatchObject({ type: "end" });
  });

  it("is recognized in a last event without its blank line, unless the event is incomplete", async () => {
    const last = `data: ${JSON.stringify(finish("length"))}`;
    expect((await read(sse(delta("ab")) + last)).last).toMatchObject({ type: "end", finishReason: "length" });
    expect(await read(sse(delta("ab")) + last.slice(0, -4))).toMatchObject({ code: "incomplete_stream" });
    expect((await read(whole + last.slice(0, -4))).last).toMatchObject({ type: "end", finishReason: "stop" });
  });

  it("in Anthropic's format may be [DONE]", async () => {
    const events = [
      { type: "content_block_delta", delta: { type: "text_delta", text: "ab" } },
      { type: "message_delta", delta: { stop_reason: "end_turn" } },
    ];
    expect(await read(sse(...events, DONE), "anthropic")).toMatchObject({ text: "ab", last: { finishReason: "stop" } });
    expect(await read(sse(events[0], DONE), "anthropic")).toMatchObject({ code: "incomplete_stream" });
  });
});

describe("a complete answer instead of a stream", () => {
  const completion = {
    id: 9,
    object: "chat.completion",
    model: "m",
    choices: [{ message: { role: "assistant", content: "ab" }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  };
  const message = {
    type: "message",
    content: [
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "ab" },
    ],
    stop_reason: "end_turn",
    usage: { input_tokens: 3, output_tokens: 2 },
  };
  const contents = [
    { candidates: [{ content: { parts: [{ text: "a" }] } }] },
    {
      candidates: [{ content: { parts: [{ text: "b" }] }, finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2 },
    },
  ];

  it.each([
    ["openai", completion],
    ["anthropic", message],
    ["gemini", contents],
  ] as const)("is read in %s's format, however it is written", async (format, answer) => {
    const bodies = [
      JSON.stringify(answer),
      JSON.stringify(answer, null, 2),
      `${JSON.stringify(answer)}\n\n${sse(DONE)}`,
      sse(answer),
      `\uFEFF${JSON.stringify(answer)}\n`,
    ];
    for (const body of bodies) {
      const { text, last } = await read(body, format);
      expect([body, text, last]).toMatchObject([
        body,
        "ab",
        { type: "end", finishReason: "stop", usage: { inputTokens: 3, outputTokens: 2 } },
      ]);
    }
  });

  it("is read line by line", async () => {
    const lines = [delta("a"), delta("b"), finish("stop")].map((chunk) => JSON.stringify(chunk)).join("\n");
    expect(await read(lines)).toMatchObject({ text: "ab", code: "ok" });
  });
});

describe("usage", () => {
  const counted = async (usage: object) => (await read(sse(delta("a"), finish("stop", { usage }), DONE))).last;

  it.each([
    [
      { prompt_tokens: 9, completion_tokens: 37.25 },
      { inputTokens: 9, outputTokens: 37 },
    ],
    [
      { prompt_tokens: "9", completion_tokens: "4" },
      { inputTokens: 9, outputTokens: 4 },
    ],
    [
      { input_tokens: 9, output_tokens: 4 },
      { inputTokens: 9, outputTokens: 4 },
    ],
    [
      { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 8 } },
      { inputTokens: 9, outputTokens: 4, cachedInputTokens: 8 },
    ],
    [
      { prompt_tokens: 9, completion_tokens: 4, prompt_cache_hit_tokens: 8 },
      { inputTokens: 9, outputTokens: 4, cachedInputTokens: 8 },
    ],
    [
      { prompt_tokens: 9, completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 3 }, total_tokens: 13 },
      { inputTokens: 9, outputTokens: 4, reasoningTokens: 3 },
    ],
    // The total shows that reasoning is not part of the output.
    [
      { prompt_tokens: 9, completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 3 }, total_tokens: 16 },
      { inputTokens: 9, outputTokens: 7, reasoningTokens: 3 },
    ],
  ])("of %o", async (usage, counts) => {
    expect(await counted(usage)).toMatchObject({ usage: counts });
  });

  it("drops details that contradict it", async () => {
    const details = {
      prompt_tokens_details: { cached_tokens: 99 },
      completion_tokens_details: { reasoning_tokens: 77 },
    };
    const { usage } = (await counted({ prompt_tokens: 3, completion_tokens: 4, ...details })) as { usage: unknown };
    expect(usage).toEqual({ inputTokens: 3, outputTokens: 4 });
  });

  it("in Anthropic's format is the sum of new, cached and newly cached input", async () => {
    const usage = {
      input_tokens: 7,
      cache_read_input_tokens: 9_000,
      cache_creation_input_tokens: 1_000,
      output_tokens: 1,
    };
    const { last } = await read(
      sse(
        { type: "message_start", message: { usage } },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
        { type: "message_stop" },
      ),
      "anthropic",
    );
    expect(last).toMatchObject({ usage: { inputTokens: 10_007, outputTokens: 2, cachedInputTokens: 9_000 } });
  });
});

describe("an error inside the stream", () => {
  it.each([
    [{ type: "overloaded_error" }, "provider_overloaded", true],
    [{ status: "UNAVAILABLE", code: 503 }, "provider_overloaded", true],
    [{ code: "rate_limit_exceeded", type: "tokens" }, "rate_limited", true],
    [{ status: "RESOURCE_EXHAUSTED", code: 429 }, "rate_limited", true],
    [{ type: "authentication_error" }, "provider_auth", false],
    [{ code: 400, type: "BadRequestError" }, "provider_rejected", false],
    [{ code: "1300", type: "invalid_request_error" }, "provider_rejected", false],
    [{ type: "server_error", code: null }, "provider_error", true],
    [{ type: "something_new" }, "provider_error", false],
  ])("%o is classified as %s", async (error, code, isPassing) => {
    const { last } = await read(sse({ error: { message: "boom", ...error } }, DONE));
    expect([last, "retry" in last]).toMatchObject([{ code }, isPassing]);
  });

  it("of a content filter is an answer", async () => {
    for (const error of [{ code: "content_filter" }, { innererror: { code: "ResponsibleAIPolicyViolation" } }]) {
      const { last } = await read(sse({ error: { message: "filtered", ...error } }));
      expect(last).toMatchObject({ type: "end", finishReason: "content_filter" });
    }
  });

  it.each([
    [{ message: { detail: [{ msg: "temperature is too high" }] } }, "temperature is too high"],
    [{ code: 400, type: "BadRequestError" }, "BadRequestError 400"],
    [{ message: "Provider returned error", metadata: { raw: "no more tokens" } }, "no more tokens"],
    [["first", "second"], "first; second"],
    [{ message: [{ loc: ["body", "top_p"], msg: "Extra inputs" }] }, "body.top_p: Extra inputs"],
  ])("keeps the provider's message: %j", async (error, words) => {
    expect((await read(sse({ error }, DONE))).last).toMatchObject({ message: expect.stringContaining(words) });
  });
});
