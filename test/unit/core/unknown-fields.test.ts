/** Names in the input that nothing reads. */
import * as z from "zod";
import { describe, expect, it } from "vitest";
import { nearestName, unknownFields } from "../../../src/core/unknown-fields.ts";

const SESSION = ["chatbotId", "clientId", "title", "metadata", "startTime"];
const LIST = ["searchString", "status", "chatbotId", "clientId", "startDate", "endDate", "limit", "skip"];

describe("the nearest known name", () => {
  it.each([
    ["titel", SESSION, "title"],
    ["tilte", SESSION, "title"],
    ["Title", SESSION, "title"],
    ["client_id", SESSION, "clientId"],
    ["chatbot", SESSION, "chatbotId"],
    ["serchString", LIST, "searchString"],
    ["search", LIST, "searchString"],
    ["lmit", LIST, "limit"],
    ["start-date", LIST, "startDate"],
    ["chatbotName", ["name", "endpointId"], "name"],
  ])("of %s is found", (name, known, nearest) => {
    expect(nearestName(name, known)).toBe(nearest);
  });

  it.each(["", "x", "q", "_", "page", "from", "constructor", "__proto__", "x".repeat(1_000_000)])(
    "of %.20s is none",
    (name) => {
      expect(nearestName(name, LIST)).toBeNull();
    },
  );
});

describe("unknown fields", () => {
  const schema = z.strictObject({
    feedback: z.strictObject({ rating: z.number() }).nullable().optional(),
    prices: z.array(z.strictObject({ input: z.number() }).default({ input: 0 })).prefault([]),
    pair: z.union([z.strictObject({ left: z.number() }), z.strictObject({ right: z.number() })]),
    piped: z.strictObject({ inner: z.string() }).transform(({ inner }) => inner),
  });

  it.each([
    [[], "feedbak", "feedback"],
    [["feedback"], "rateing", "rating"],
    [["prices", 3], "imput", "input"],
    [["pair"], "rihgt", "right"],
    [["piped"], "iner", "inner"],
    [["feedback", "rating"], "rating", null],
    [["nowhere"], "rating", null],
    [["constructor"], "rating", null],
  ])("are compared with the names at their path %j", (path, name, nearest) => {
    expect(unknownFields(schema, path, [name])).toEqual([{ name, shownName: name, nearest }]);
  });

  it("are cut to 100 characters, without half a character at the end", () => {
    const [unknown] = unknownFields(schema, [], ["\u{1f600}".repeat(200)]);
    expect(unknown?.shownName).toHaveLength(100);
    expect(unknown?.shownName.isWellFormed()).toBe(true);
  });
});
