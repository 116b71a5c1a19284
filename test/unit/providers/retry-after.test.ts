/** How long a provider asks to wait, from headers and bodies. */
import { describe, expect, it } from "vitest";
import { now } from "../../../src/core/time.ts";
import { retryAfterMs, retryInfoMs } from "../../../src/providers/call/retry-after.ts";

const asked = (headers: Record<string, string>) => retryAfterMs(new Headers(headers));

describe("the time that a provider asks to wait", () => {
  it.each([
    [{ "retry-after": "3" }, 3_000],
    [{ "retry-after": " 1.5 " }, 1_500],
    [{ "retry-after": "0" }, 0],
    // Longer than any call may wait: the call fails at once.
    [{ "retry-after": "99999999999" }, 604_800_000],
    [{ "retry-after-ms": "40.2", "retry-after": "3" }, 41],
    [{ "retry-after-ms": "soon", "retry-after": "3" }, 3_000],
    [{ "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }, 0],
  ])("is read from %o", (headers, milliseconds) => {
    expect(asked(headers as unknown as Record<string, string>)).toBe(milliseconds);
  });

  it("is read from a date in each of the three forms of RFC 9110", () => {
    const at = new Date(Math.ceil(now() / 1000) * 1000 + 60_000);
    const [day = "", date = "", month = "", year = "", time = ""] = at.toUTCString().replace(",", "").split(" ");
    const long = at.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" });
    const forms = [
      at.toUTCString(),
      `${long}, ${date}-${month}-${year.slice(2)} ${time} GMT`,
      `${day} ${month} ${date.replace(/^0/, " ")} ${time} ${year}`,
    ];
    for (const form of forms) {
      const milliseconds = asked({ "retry-after": form }) ?? 0;
      expect([form, milliseconds > 50_000 && milliseconds <= 61_000]).toEqual([form, true]);
    }
  });

  it.each(["-3", "+3", '"2"', "soon", "", "1e3", "0x10", "2026-01-01", "12 s", "NaN"])(
    "is not read from %j",
    (value) => {
      expect(asked({ "retry-after": value })).toBeNull();
    },
  );

  it.each([
    ["1.8s", 1_800],
    ["34s", 34_000],
    [{ seconds: 2, nanos: 500_000_000 }, 2_500],
    [{ seconds: "3" }, 3_000],
    ["-1s", null],
    ["soon", null],
    [{}, 0],
    [7, null],
  ])("is read from Google's RetryInfo %j", (retryDelay, milliseconds) => {
    const other = { "@type": "type.googleapis.com/google.rpc.QuotaFailure" };
    const details = [other, { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }];
    expect(retryInfoMs({ details })).toBe(milliseconds);
    expect(retryInfoMs({ details: [other] })).toBeNull();
  });
});
