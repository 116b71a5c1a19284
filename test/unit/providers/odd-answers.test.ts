/** Answers that servers send against their own documentation: text in odd places, errors after the end, broken encodings. */
import { describe, expect, it } from "vitest";
import { delta, finish, readAnswer, sse } from "../../support/read-answer.ts";
import type { FormatName } from "../../support/read-answer.ts";

const DONE = "[DONE]";
const bytes = (...parts: (string | number[])[]): Uint8Array[] =>
  parts.map((part) => (typeof part === "string" ? new TextEncoder().encode(part) : new Uint8Array(part)));

async function read(body: string | Uint8Array[], format: FormatName = "openai") {
  const { text, last } = await readAnswer(format, typeof body === "string" ? [body] : body);
  return { text, last, code: last.type === "failed" ? last.code : "ok" };
}

describe("text in an unknown place", () => {
  it.each<[FormatName, object]>([
    ["openai", { choices: [{ messages: [{ delta: { content: "Hello" } }], finish_reason: "stop" }] }],
    ["openai", { choices: [{ delta: { audio: { transcript: "Hello" } }, finish_reason: "stop" }] }],
    ["openai", { choices: [{ delta: { content: [{ type: "text", content: "Hello" }] }, finish_reason: "stop" }] }],
    [
      "openai",
      {
        choices: [
          { index: 0, delta: {} },
          { index: 1, delta: { content: "Hello" } },
        ],
      },
    ],
    ["gemini", { candidates: [{ content: { parts: { text: "Hello" } }, finishReason: "STOP" }] }],
    ["gemini", { candidates: [{ content: [{ text: "Hello" }], finishReason: "STOP" }] }],
  ])("fails, and is not read as an empty reply (%s, %j)", async (format, chunk) => {
    const body = sse(chunk, ...(format === "openai" ? [DONE] : []));
    const { text, code } = await read(body, format);
    expect(text).toBe("");
    expect(code).not.toBe("ok");
  });

  it("is read when Anthropic's first event has the complete message", async () => {
    const message = { content: [{ type: "text", text: "Hello" }], stop_reason: "end_turn" };
    const body = sse({ type: "message_start", message }, { type: "message_stop" });
    expect(await read(body, "anthropic")).toMatchObject({ text: "Hello", last: { finishReason: "stop" } });
  });

  it("is both the content and the refusal of a chunk that has both", async () => {
    const chunk = { choices: [{ delta: { content: "No. ", refusal: "I cannot." } }] };
    expect(await read(sse(chunk, finish("stop"), DONE))).toMatchObject({ text: "No. I cannot." });
  });
});

describe("an error after the finish reason, or beside it", () => {
  it.each([
    { error: {} },
    { choices: [{ delta: { error: "boom" } }] },
    { choices: [{ delta: {}, finish_reason: "stop" }], base_resp: { status_code: 1013, status_msg: "boom" } },
    { Error: { Message: "boom" } },
    { throttlingException: { message: "boom" } },
    { fault: { faultstring: "boom" } },
    "Internal Server Error",
    "Traceback (most recent call last):",
    "<html><head><title>502 Bad Gateway</title></head></html>",
  ])("fails the reply: %j", async (data) => {
    const { text, last } = await read(sse(delta("Hello"), finish("stop"), data, DONE));
    expect([text, last.type]).toEqual(["Hello", "failed"]);
  });

  it("does not fail it when the status beside it is a success", async () => {
    const chunk = { ...finish("stop"), base_resp: { status_code: 0, status_msg: "" } };
    expect(await read(sse(delta("Hello"), chunk, DONE))).toMatchObject({ text: "Hello", code: "ok" });
  });
});

describe("a finish reason", () => {
  it.each(["aborted", "ERROR_TOXIC", "generation_error", "interrupted", "timeout", "incomplete"])(
    "%s fails the reply",
    async (word) => {
      expect(await read(sse(delta("half"), finish(word), DONE))).toMatchObject({ code: "provider_error" });
    },
  );

  it.each([
    [{ choices: [{ delta: {}, finishReason: "length" }] }, "length"],
    [{ choices: [{ delta: {}, finish_details: { type: "max_tokens" } }] }, "length"],
    [{ choices: [{ delta: {}, finish_reason: { reason: "length" } }] }, "length"],
    [{ choices: [{ delta: {}, finish_reason: ["length"] }] }, "length"],
    [{ choices: [{ delta: {} }], finish_reason: "length" }, "length"],
    [{ choices: [{ delta: {}, finish_reason: true }] }, "other"],
  ])("is read from %j", async (chunk, finishReason) => {
    expect((await read(sse(delta("half"), chunk, DONE))).last).toMatchObject({ finishReason });
  });
});

describe("how an answer is written", () => {
  it("keeps the digits of a text that was sent as a number", async () => {
    const body = 'data: {"choices":[{"delta":{"content":12345678901234567890}}]}\n\ndata: {"response":1.50}\n\n';
    expect(await read(body + sse(DONE))).toMatchObject({ text: "123456789012345678901.50" });
  });

  it("fails when it is not UTF-8", async () => {
    const [begin, end] = sse(delta("a#b"), finish("stop"), DONE).split("#");
    expect(await read(bytes(begin ?? "", [0xff, 0xfe], end ?? ""))).toMatchObject({ code: "bad_chunk" });
  });

  it("may leave out the blank lines between events, or encode a document twice", async () => {
    const lines = [delta("a"), delta("b"), finish("stop")].map((chunk) => `data: ${JSON.stringify(chunk)}\n`).join("");
    expect(await read(`${lines}\n${sse(DONE)}`)).toMatchObject({ text: "ab", code: "ok" });
    const twice = JSON.stringify(JSON.stringify({ error: { message: "boom", code: 429 } }));
    expect(await read(sse(twice))).toMatchObject({
      code: "rate_limited",
      last: { message: expect.stringContaining("boom") },
    });
  });

  it("notes an incomplete last event after a finish reason", async () => {
    const { text, last } = await read(
      `${sse(delta("Hello"), finish("stop"))}data: {"choices":[{"delta":{"content":"mo`,
    );
    expect([text, last]).toMatchObject(["Hello", { type: "end", notes: [expect.stringContaining("mo")] }]);
  });

  it("names what cannot be read", async () => {
    const { last } = await read(sse("{'error': {'message': 'boom'}}", DONE));
    expect(last).toMatchObject({ code: "bad_chunk", message: expect.stringContaining("boom") });
  });
});

describe("an error's form", () => {
  it.each([
    [{ error: JSON.stringify({ error: { message: "boom", code: 429 } }) }, "rate_limited"],
    [{ error: 429, message: "boom" }, "rate_limited"],
    [{ error: { code: "InternalError", innererror: { message: "boom" } } }, "provider_error"],
  ])("%j has the class and the message of the inner error", async (data, code) => {
    expect(await read(sse(data, DONE))).toMatchObject({ code, last: { message: expect.stringContaining("boom") } });
  });

  it("may be nested too deep to be read", async () => {
    const deep = `{"error":${'{"error":'.repeat(10_000)}"boom"${"}".repeat(10_000)}}`;
    expect(await read(`data: ${deep}\n\n`)).toMatchObject({ code: "provider_error" });
  });

  it("may be a web page of megabytes, and is read in linear time", async () => {
    const page = `<html>${"<title ".repeat(300_000)}`;
    const began = performance.now();
    expect((await read(page)).last.type).toBe("failed");
    // Quadratic time would be minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

describe("usage", () => {
  it.each([
    [{ prompt_tokens: 7 }, null],
    [{ prompt_tokens: -7, completion_tokens: 3 }, null],
    [
      { prompt_tokens: 7, total_tokens: 10 },
      { inputTokens: 7, outputTokens: 3 },
    ],
  ])("of %j is %j", async (usage, counts) => {
    expect((await read(sse(delta("a"), finish("stop", { usage }), DONE))).last).toMatchObject({ usage: counts });
  });
});

describe.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"])(
  "the word %s from outside",
  (word) => {
    it("is a finish reason that is not known", async () => {
      const end = { type: "message_delta", delta: { stop_reason: word } };
      for (const [format, body] of [
        ["openai", sse(delta("Hello"), finish(word), DONE)],
        ["anthropic", sse({ type: "content_block_delta", delta: { text: "Hello" } }, end, { type: "message_stop" })],
        ["gemini", sse({ candidates: [{ content: { parts: [{ text: "Hello" }] }, finishReason: word }] })],
      ] as const) {
        const { text, last } = await read(body, format);
        expect([format, text, last]).toMatchObject([format, "Hello", { finishReason: "other", finishReasonRaw: word }]);
      }
    });

    it("is an error like any other, as its class, code or status", async () => {
      for (const field of ["type", "code", "status"]) {
        const { last } = await read(sse({ error: { [field]: word, message: "boom" } }, DONE));
        expect(last).toMatchObject({ type: "failed", code: "provider_error" });
      }
      expect((await read(sse({ error: word }, DONE))).code).toBe("provider_error");
    });

    it("is no count, and no field that has a meaning", async () => {
      const fields = `{"${word}": 5, "usage": {"${word}": 5}, "choices": [{"index": 0, "${word}": 5, "delta": {"${word}": 5, "content": "Hello"}}]}`;
      const { text, last } = await read(`data: ${fields}\n\n${sse(finish("stop"), DONE)}`);
      expect([text, last]).toMatchObject(["Hello", { finishReason: "stop", usage: null }]);
      const usage = `{"type": "message_delta", "usage": {"${word}": 5, "output_tokens": 2}, "delta": {"stop_reason": "end_turn"}}`;
      const anthropic = await read(`data: ${usage}\n\n${sse({ type: "message_stop" })}`, "anthropic");
      expect(anthropic.last).toMatchObject({ usage: { inputTokens: 0, outputTokens: 2 } });
    });
  },
);
