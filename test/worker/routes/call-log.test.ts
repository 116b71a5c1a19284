/** Which calls write a line to the log. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MockInstance } from "vitest";
import { get, post } from "../../support/api.ts";
import { setVariables } from "../../support/settings.ts";

let info: MockInstance<typeof console.info>;
const linesOf = (event: string) =>
  info.mock.calls.map(([line]: unknown[]) => line).filter((line) => (line as { event: string }).event === event);

beforeEach(() => {
  info = vi.spyOn(console, "info").mockImplementation(() => undefined);
});
afterEach(() => vi.restoreAllMocks());

describe("the log line of a call", () => {
  it("has the route and no part of the address", async () => {
    setVariables({ LOG_SAMPLING: "1" });
    await get("/sessions/4b7a1a9e-3c55-4a0c-8f6f-000000000000?ticket=secret");
    expect(linesOf("call")).toEqual([
      {
        event: "call",
        requestId: expect.any(String),
        method: "GET",
        route: expect.stringMatching(/^\/sessions\/:\w+/),
        status: expect.any(Number),
        durationMs: expect.any(Number),
        role: "admin",
        sampling: 1,
      },
    ]);
  });

  it("has no route or caller where there is none", async () => {
    setVariables({ LOG_SAMPLING: "1" });
    await get("/no-such-route");
    await get("/sessions", { token: null });
    expect(linesOf("call")).toEqual([
      expect.objectContaining({ route: null, status: 404, role: null }),
      expect.objectContaining({ route: "/sessions", status: 401, role: null }),
    ]);
  });

  it("is written for the share of calls that is set", async () => {
    setVariables({ LOG_SAMPLING: "0.05" });
    vi.spyOn(Math, "random").mockReturnValueOnce(0.049).mockReturnValueOnce(0.05).mockReturnValueOnce(0.9);
    for (let calls = 0; calls < 3; calls++) await get("/healthz");
    expect(linesOf("call")).toHaveLength(1);
  });

  it.each(["", "0", "-1", "2", "all"])("is not written when LOG_SAMPLING is %j", async (share) => {
    setVariables({ LOG_SAMPLING: share });
    vi.spyOn(Math, "random").mockReturnValue(0);
    await get("/healthz");
    expect(linesOf("call")).toEqual([]);
  });

  it("leaves the audit log whole", async () => {
    setVariables({ LOG_SAMPLING: "0.05" });
    vi.spyOn(Math, "random").mockReturnValue(0.99);
    await post("/keys", { role: "service", name: "sampled" });
    await get("/sessions", { token: "guess" });
    expect([linesOf("call"), linesOf("key-created").length, linesOf("sign-in-failed").length]).toEqual([[], 1, 1]);
  });
});
