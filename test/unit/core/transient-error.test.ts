import { afterEach, describe, expect, it, vi } from "vitest";
import { retryOnce, transientErrorOf } from "../../../src/core/transient-error.ts";

/** https://developers.cloudflare.com/d1/observability/debug-d1/#error-list */
const RETRYABLE = [
  "D1_ERROR: D1 DB reset because its code was updated.",
  "D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.",
  "D1_ERROR: Network connection lost.",
  "D1_ERROR: Internal error in D1 DB storage caused object to be reset.",
  "D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.",
  "D1_ERROR: Can't read from request stream because client disconnected.",
  "Durable Object reset because its code was updated.",
  "Connection closed: this Durable Object instance is no longer active. Reconnect or retry the request.",
  "Durable Object connection closed because the object was reset.",
];
const OVERLOADED = [
  "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
  "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
  "D1_ERROR: D1 DB is overloaded. Too many requests queued.",
  "D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.",
  "D1_ERROR: D1 DB exceeded its CPU time limit and was reset.",
  "Durable Object is overloaded. Too many requests for the same object within a 10 second window.",
  "Your account is generating too much load on Durable Objects. Please back off and try again later.",
];
const BUGS = ["D1_ERROR: UNIQUE constraint failed: clients.id: SQLITE_CONSTRAINT", "x is not a function"];

afterEach(() => {
  vi.useRealTimers();
});

describe("an error", () => {
  it.each([...RETRYABLE.map((text) => [text, "retryable"]), ...OVERLOADED.map((text) => [text, "overloaded"])])(
    "%s is %s",
    (text, kind) => {
      expect(transientErrorOf(new Error(text))).toBe(kind);
      expect(transientErrorOf(new Error("Failed query", { cause: new Error(text) }))).toBe(kind);
    },
  );

  it.each(BUGS)("%s does not pass by itself", (text) => {
    expect(transientErrorOf(new Error(text))).toBeNull();
  });

  it("is known by the marks of the platform, and an overload wins", () => {
    const marked = (marks: object) => transientErrorOf(Object.assign(new Error("internal error"), marks));
    expect(marked({ retryable: true })).toBe("retryable");
    expect(marked({ durableObjectReset: true })).toBe("retryable");
    expect(marked({ retryable: true, overloaded: true })).toBe("overloaded");
    expect(marked({ retryable: false })).toBeNull();
    expect(transientErrorOf("Network connection lost")).toBeNull();
  });

  it("is not judged by the texts of users, which stand around the first cause", () => {
    const cause = new Error("D1_ERROR: UNIQUE constraint failed: clients.id: SQLITE_CONSTRAINT");
    expect(transientErrorOf(new Error("Failed query: …\nparams: Network connection lost.", { cause }))).toBeNull();
  });
});

describe("an idempotent attempt", () => {
  const attempts = async (...errors: (string | null)[]) => {
    vi.useFakeTimers();
    const seen: boolean[] = [];
    const done = retryOnce(async (isSecond) => {
      seen.push(isSecond);
      const text = errors[seen.length - 1] ?? null;
      if (text !== null) throw new Error(text);
      return "done";
    }).catch((error: Error) => error.message);
    await vi.runAllTimersAsync();
    return [await done, seen];
  };

  it("is repeated once, when that may help", async () => {
    expect(await attempts(null)).toEqual(["done", [false]]);
    expect(await attempts("Network connection lost.")).toEqual(["done", [false, true]]);
    const lost = "Network connection lost.";
    expect(await attempts(lost, lost, null)).toEqual([lost, [false, true]]);
  });

  it.each([OVERLOADED[1] ?? "", BUGS[0] ?? ""])("is not repeated after: %s", async (text) => {
    expect(await attempts(text, null)).toEqual([text, [false]]);
  });
});
