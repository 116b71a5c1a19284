/** The events of a response: their numbers follow from the text, and a reader who resumes gets the same ones. */
import * as fc from "fast-check";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";
import type { Caller } from "../../../src/core/caller.ts";
import { replyFailure } from "../../../src/core/reply.ts";
import type { ReplyEnd, ReplyFailure } from "../../../src/core/reply.ts";
import { ResponseEvents } from "../../../src/routes/openai/responses/events.ts";
import { newResponseHead } from "../../../src/routes/openai/responses/present.ts";

const ADMIN: Caller = { role: "admin", id: "admin", keyId: null, clientId: null, expiresAt: null };
const CLIENT: Caller = { role: "client", id: "c", keyId: "c", clientId: "c", expiresAt: null };
const HEAD = newResponseHead("abc", { model: "m", input: "hi" }, 1_710_448_307_051);
const END: ReplyEnd = { type: "end", finishReason: "stop", model: null, usage: null, providerRequestId: null };

const eventsIn = (text: string): ResponseStreamEvent[] =>
  [...text.matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, name, data = ""]) => {
    const event = JSON.parse(data) as ResponseStreamEvent;
    expect(event.type).toBe(name);
    return event;
  });

/** The events of a reply that comes in portions. */
function stream(portions: string[], final: ReplyEnd | ReplyFailure = END, after = -1, caller = ADMIN) {
  const events = new ResponseEvents(HEAD, caller, after);
  return eventsIn(
    events.start() +
      portions.map((text) => events.portion({ text, final: null })).join("") +
      events.portion({ text: "", final }),
  );
}

const TYPES = (deltas: number, last = "response.completed") => [
  "response.created",
  "response.in_progress",
  "response.output_item.added",
  "response.content_part.added",
  ...Array.from({ length: deltas }, () => "response.output_text.delta"),
  "response.output_text.done",
  "response.content_part.done",
  "response.output_item.done",
  last,
];

const deltasOf = (events: ResponseStreamEvent[]) =>
  events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []));

describe("the events of a response", () => {
  it("come in OpenAI's order, numbered from 0 without gaps", () => {
    const events = stream(["Hello, ", "world"]);
    expect(events.map(({ type }) => type)).toEqual(TYPES(3));
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    expect(deltasOf(events)).toEqual(["Hell", "o, w", "orld"]);
    const last = events.at(-1);
    expect(last).toMatchObject({
      response: {
        id: "resp_abc",
        status: "completed",
        output: [{ id: "msg_abc", content: [{ text: "Hello, world" }] }],
      },
    });
  });

  it("send a text as soon as there is enough of it", () => {
    const events = new ResponseEvents(HEAD, ADMIN);
    events.start();
    expect(deltasOf(eventsIn(events.portion({ text: "Hello", final: null })))).toEqual(["Hell"]);
    expect(deltasOf(eventsIn(events.portion({ text: "!", final: null })))).toEqual([]);
    expect(deltasOf(eventsIn(events.portion({ text: "", final: END })))).toEqual(["o!"]);
  });

  it("are the same whatever the portions were, and for a reader who resumes", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "🎉", "\ud83c", "\n"), maxLength: 60 });
    const property = fc.property(text, fc.array(fc.nat(10), { maxLength: 20 }), fc.nat(30), (whole, sizes, after) => {
      const portions: string[] = [];
      let rest = whole;
      for (const size of sizes) {
        portions.push(rest.slice(0, size));
        rest = rest.slice(size);
      }
      const live = stream([...portions, rest]);
      expect(live).toEqual(stream([whole]));
      expect(deltasOf(live).join("")).toBe(whole);
      expect(stream([whole], END, after)).toEqual(live.filter(({ sequence_number: number }) => number > after));
    });
    fc.assert(property, { numRuns: 500 });
  });

  it.each([
    ["length", "response.incomplete", { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }],
    [
      "content_filter",
      "response.incomplete",
      { status: "incomplete", incomplete_details: { reason: "content_filter" } },
    ],
    ["cancelled", "response.incomplete", { status: "cancelled", incomplete_details: null }],
    ["tool_calls", "response.completed", { status: "completed" }],
  ] as const)("end by %s with %s", (finishReason, type, response) => {
    const events = stream(["Hello"], { ...END, finishReason });
    expect(events.map((event) => event.type)).toEqual(TYPES(2, type));
    expect(events.at(-1)).toMatchObject({ response });
  });

  it.each([
    ["token-ended", -1, 4, { type: "authentication_error", code: "invalid_api_key" }],
    ["token-ended", 4, 4, { type: "authentication_error", code: "invalid_api_key" }],
    ["reader-too-slow", -1, 4, { type: "server_error", code: "reader_too_slow" }],
    ["reader-too-slow", 9, 9, { type: "server_error", code: "reader_too_slow" }],
  ] as const)("end by %s of a reader behind %i with an error, and skip nothing", (type, after, number, error) => {
    const events = new ResponseEvents(HEAD, CLIENT, after);
    events.start();
    events.portion({ text: "Hello", final: null });
    const last = eventsIn(events.portion({ text: "!", final: { type } }));
    // What is less than a delta is part of the next one, which a reader behind number 4 gets.
    expect(last).toMatchObject([{ type: "error", sequence_number: number, error }]);
    expect(last).toMatchObject([{ error: { message: expect.stringContaining(`starting_after=${number}`) } }]);
  });

  it("end with the failure for a reader who saw more text than was kept after a crash", () => {
    const numbersBehind = (after: number, code: ReplyFailure["code"] = "interrupted") => {
      const events = stream(["Hell"], replyFailure(code, "The turn broke off before the reply had ended."), after);
      return events.map(({ type, sequence_number: number }) => [type, number]);
    };
    expect(numbersBehind(3)).toEqual([
      ["response.output_text.delta", 4],
      ["response.failed", 5],
    ]);
    expect(numbersBehind(4)).toEqual([["response.failed", 5]]);
    // Number 5 can be that of a text which was not kept.
    expect(numbersBehind(5)).toEqual([["response.failed", 6]]);
    expect(numbersBehind(53)).toEqual([["response.failed", 54]]);
    // The whole text of a reply that failed otherwise was kept, so this reader has the failure.
    expect(numbersBehind(5, "connection_lost")).toEqual([]);
  });

  it("end with the failure, in the words that the caller may read", () => {
    const failure = replyFailure("rate_limited", "The provider answered 429: sk-1");
    for (const [caller, message] of [
      [ADMIN, failure.message],
      [CLIENT, "The model gets too many requests now. Try again later."],
    ] as const)
      expect(stream(["Hello"], failure, -1, caller).at(-1)).toMatchObject({
        type: "response.failed",
        response: { status: "failed", error: { code: "rate_limit_exceeded", message } },
      });
  });
});
