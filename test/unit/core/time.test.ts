/** Reading and writing times. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isZone, isoTime, parseTime, zonedPromptTime, zonedStamp } from "../../../src/core/time.ts";

describe("parseTime", () => {
  it.each([
    ["2024-03-15", "2024-03-15T00:00:00.000Z"],
    ["2024-03-15T04:31", "2024-03-15T04:31:00.000Z"],
    ["2024-03-15T04:31:47", "2024-03-15T04:31:47.000Z"],
    ["2024-03-15 04:31:47.0519Z", "2024-03-15T04:31:47.051Z"],
    ["2024-03-15T04:31:47+08:00", "2024-03-14T20:31:47.000Z"],
    ["2024-03-15T04:31:47-0330", "2024-03-15T08:01:47.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ])("reads %s as %s", (text, expected) => {
    const at = parseTime(text);
    expect(at === null ? null : isoTime(at)).toBe(expected);
  });

  it.each([
    "",
    "soon",
    "2023-02-29",
    "2024-13-01",
    "2024-00-10",
    "2024-01-01T24:00",
    "2024-01-01T10:61",
    "15/03/2024",
    "0050-01-01",
    "9999-12-31T23:59:59-12:00",
    "1710448307",
  ])("rejects %j", (text) => {
    expect(parseTime(text)).toBeNull();
  });
});

describe("times in the format of Moonshot", () => {
  const at = 1_710_448_307_051;

  it("match the example of its documentation in Singapore's zone", () => {
    expect(zonedStamp(at, "Asia/Singapore")).toBe("20240315-043147");
    expect(zonedPromptTime(Date.UTC(2024, 2, 14, 20, 42, 2), "Asia/Singapore")).toBe("03/15/2024, 04:42:02");
  });

  it("accept the names of real time zones only", () => {
    expect(["UTC", "Asia/Singapore", "America/New_York"].every(isZone)).toBe(true);
    expect(["Nope", "", "Mars/Olympus"].some(isZone)).toBe(false);
  });

  it("do not depend on the time or the zone that was written before", () => {
    const zoned = (time: number, zone: string) => [zonedStamp(time, zone), zonedPromptTime(time, zone)];
    expect([zoned(at, "UTC"), zoned(at, "Asia/Singapore"), zoned(at + 1_000, "Asia/Singapore")]).toEqual([
      ["20240314-203147", "03/14/2024, 20:31:47"],
      ["20240315-043147", "03/15/2024, 04:31:47"],
      ["20240315-043148", "03/15/2024, 04:31:48"],
    ]);
  });

  it("write midnight as 00 in UTC", () => {
    expect(zonedStamp(Date.UTC(2024, 0, 1), "UTC")).toBe("20240101-000000");
    expect(zonedPromptTime(Date.UTC(2024, 0, 1), "UTC")).toBe("01/01/2024, 00:00:00");
  });
});

describe("isoTime", () => {
  const LAST = 8.64e15;

  it("writes every time as a Date does, whichever day was written before", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -LAST, max: LAST })), (times) => {
        for (const at of times) expect([at, isoTime(at)]).toEqual([at, new Date(at).toISOString()]);
      }),
    );
  });

  it.each([0, -1, 1, 86_399_999, 86_400_000, -86_400_000, -86_400_001, LAST, -LAST, 253_402_300_800_000, 1.7, -1.7])(
    "writes %d as a Date does",
    (at) => expect(isoTime(at)).toBe(new Date(at).toISOString()),
  );

  it.each([NaN, Infinity, LAST + 1])("throws for %d, which is no time", (at) => {
    expect(() => isoTime(at)).toThrow(RangeError);
  });
});
