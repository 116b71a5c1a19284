/** Rate limits by address and by caller, and of failed sign-ins. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OPEN_PATHS } from "../../../src/routes/http/authenticate.ts";
import { apiRoutes } from "../../../src/api-docs.ts";
import { ADMIN_KEY, call, get, post } from "../../support/api.ts";
import { createClient, createSession } from "../../support/create.ts";
import { upgrade } from "../../support/follow.ts";
import { setVariables } from "../../support/settings.ts";

const APP = "https://app.example";

const MINUTE = 60_000;

beforeEach(async () => {
  // The local limiter counts by the minutes of the clock, so a test that runs into the next one would see two of them.
  const leftMs = MINUTE - (Date.now() % MINUTE);
  if (leftMs < 15_000) await scheduler.wait(leftMs);
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("rate limits", () => {
  const limits = () =>
    setVariables({
      RATE_LIMITS: "",
      ADDRESS_LIMIT: undefined as never,
      CLIENT_LIMIT: undefined as never,
      SERVICE_LIMIT: undefined as never,
      SIGN_IN_LIMIT: undefined as never,
    });
  const address = () => `203.0.113.${Math.floor(Math.random() * 250)}-${crypto.randomUUID()}`;
  const statuses = async (count: number, make: () => Promise<{ status: number }>) => {
    const seen: number[] = [];
    for (let n = 0; n < count; n++) seen.push((await make()).status);
    return seen;
  };

  it("per address answer 429 in the dialect's form, with Retry-After, before the token is checked", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE });
    const headers = { "cf-connecting-ip": address() };
    expect(await statuses(5, () => get("/sessions", { token: null, headers }))).toEqual([401, 401, 401, 429, 429]);
    const guess = { token: "guess", headers };
    const [session, moonshot] = [await get("/sessions", guess), await get("/v1/sessions", guess)];
    expect([session.status, session.body.error.code]).toEqual([429, "too_many_calls"]);
    expect([moonshot.status, moonshot.body.detail]).toEqual([429, expect.stringMatching(/Too many calls/)]);
    expect(session.headers.get("retry-after")).toBe("60");
    expect((await get("/sessions", { token: null, headers: { "cf-connecting-ip": address() } })).status).toBe(401);
  });

  it.each([
    ["an unknown path", "GET", "/nowhere", 404],
    ["a method that the path does not have", "PATCH", "/sessions", 405],
    ["a preflight", "OPTIONS", "/sessions", 204],
    ["a preflight of the health check", "OPTIONS", "/healthz", 204],
    ["the deep health check", "GET", "/healthz?deep=1", 200],
    ["the addresses", "GET", "/", 200],
  ])("per address count %s", async (_, method, path, status) => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE });
    const headers = { "cf-connecting-ip": address(), origin: APP, "access-control-request-method": "GET" };
    const make = () => call(method, path, undefined, { headers });
    expect(await statuses(5, make)).toEqual([status, status, status, 429, 429]);
    expect((await call("GET", "/sessions", undefined, { headers, token: null })).status).toBe(429);
    for (const health of ["/healthz", "/healthz/", "/healthz?deep=0"])
      expect((await get(health, { headers, token: null })).status).toBe(200);
  });

  it("hold on every route: by address for who is unknown, by failed sign-ins for everybody", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE, SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    vi.spyOn(console, "info").mockImplementation(() => undefined);
    const [flood, guesser] = [address(), address()];
    await statuses(4, () => get("/sessions", { token: null, headers: { "cf-connecting-ip": flood } }));
    await statuses(4, () => get("/sessions", { token: "guess", headers: { "cf-connecting-ip": guesser } }));
    setVariables({ ADDRESS_LIMIT: undefined as never });
    const unknown = apiRoutes.map(({ path }) => [path, "guess", flood, env.THREE_A_MINUTE] as const);
    const known = unknown.filter(([path]) => !OPEN_PATHS.includes(path));
    for (const [path, token, from, limit] of [
      ...unknown.filter(([one]) => one !== "/healthz"),
      ...known.map(([one]) => [one, ADMIN_KEY, guesser, undefined] as const),
    ]) {
      setVariables({ ADDRESS_LIMIT: limit as never });
      const headers = { "cf-connecting-ip": from };
      const method = apiRoutes.find((route) => route.path === path)?.method.toUpperCase() ?? "";
      const answer = await call(method, path.replace(/\{\w+\}/g, "none"), undefined, { token, headers });
      expect([path, answer.status]).toEqual([path, 429]);
    }
  });

  it("per address count clients, and neither services nor admins", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE });
    const clientId = await createClient();
    const keyOf = async (role: string) =>
      (await post("/keys", { name: "k", role, ...(role === "client" ? { clientId } : {}) })).body.data.key as string;
    const from5 = async (token: string) => {
      const headers = { "cf-connecting-ip": address() };
      return statuses(5, () => get("/sessions", { token, headers }));
    };
    expect(await from5(await keyOf("client"))).toEqual([200, 200, 200, 429, 429]);
    for (const token of [await keyOf("service"), await keyOf("admin"), ADMIN_KEY])
      expect(await from5(token)).toEqual([200, 200, 200, 200, 200]);
  });

  it("refuse an unknown key before D1 is asked for it, and a ticket too", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE });
    const headers = { "cf-connecting-ip": address() };
    const guess = () => get("/sessions", { token: `parley_${crypto.randomUUID()}`, headers });
    const id = await createSession();
    expect(await statuses(3, guess)).toEqual([401, 401, 401]);
    const prepared = vi.spyOn(env.DB, "prepare");
    expect((await guess()).status).toBe(429);
    expect((await upgrade(`/sessions/${id}/ws?ticket=guess`, { token: null, headers })).status).toBe(429);
    expect(prepared).not.toHaveBeenCalled();
  });

  it.each([
    ["service", "SERVICE_LIMIT"],
    ["admin", "SERVICE_LIMIT"],
    ["client", "CLIENT_LIMIT"],
  ])("per caller of role %s (%s) answer 429 from any address", async (role, name) => {
    limits();
    setVariables({ [name]: env.THREE_A_MINUTE });
    const own = role === "client" ? { clientId: await createClient() } : {};
    const { key: token } = (await post("/keys", { name: "k", role, ...own })).body.data;
    const make = () => get("/sessions", { token, headers: { "cf-connecting-ip": address() } });
    expect(await statuses(5, make)).toEqual([200, 200, 200, 429, 429]);
  });

  it("without a token count by address", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE, ANONYMOUS_ROLE: "service" });
    const headers = { "cf-connecting-ip": address() };
    expect(await statuses(4, () => get("/sessions", { token: null, headers }))).toEqual([200, 200, 200, 429]);
    expect((await get("/sessions", { token: null, headers: { "cf-connecting-ip": address() } })).status).toBe(200);
  });

  it("are lower for bad tokens, and after that not even a good one passes from there for a minute", async () => {
    limits();
    setVariables({ SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    const { key } = (await post("/keys", { name: "k", role: "service" })).body.data;
    const headers = { "cf-connecting-ip": address() };
    expect(await statuses(2, () => get("/sessions", { headers }))).toEqual([200, 200]);
    expect(await statuses(5, () => get("/sessions", { token: "guess", headers }))).toEqual([401, 401, 401, 429, 429]);
    for (const path of ["/sessions", "/v1/sessions", "/healthz?deep=1"])
      for (const token of [ADMIN_KEY, key]) expect((await get(path, { token, headers })).status).toBe(429);
    expect((await get("/sessions", { headers: { "cf-connecting-ip": address() } })).status).toBe(200);
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_001);
    expect((await get("/sessions", { headers })).status).toBe(200);
  });

  it("do not take a call without a token for a guess", async () => {
    limits();
    setVariables({ SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    const headers = { "cf-connecting-ip": address() };
    expect(await statuses(5, () => get("/sessions", { token: null, headers }))).toEqual([401, 401, 401, 401, 401]);
    expect((await get("/sessions", { headers })).status).toBe(200);
  });

  it.each([
    ["a token in the subprotocol", { "sec-websocket-protocol": "parley.v1, bearer.guess" }, ""],
    ["a ticket", {}, "?ticket=guess"],
    ["another scheme", { authorization: "Basic YTpi" }, ""],
  ])("take %s for a guess", async (_, more, query) => {
    limits();
    setVariables({ SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    const headers = { "cf-connecting-ip": address(), ...more };
    const id = await createSession();
    const make = () => upgrade(`/sessions/${id}/ws${query}`, { token: null, headers });
    expect(await statuses(5, make)).toEqual([401, 401, 401, 429, 429]);
  });

  it.each(["", "short", "parley-dev"])("count and log failed sign-ins while ADMIN_KEY is %j", async (key) => {
    limits();
    setVariables({ SIGN_IN_LIMIT: env.THREE_A_MINUTE, ADMIN_KEY: key });
    const info = vi.spyOn(console, "info").mockImplementation(() => undefined);
    const headers = { "cf-connecting-ip": address() };
    const guess = () => get("/sessions", { token: "guess", headers });
    expect(await statuses(5, guess)).toEqual([503, 503, 503, 429, 429]);
    expect(info).toHaveBeenCalledWith(expect.objectContaining({ event: "sign-in-failed", path: "/sessions" }));
  });

  it("are lower for bad tokens at the open route for admins too, and are logged", async () => {
    limits();
    setVariables({ SIGN_IN_LIMIT: env.THREE_A_MINUTE });
    const info = vi.spyOn(console, "info").mockImplementation(() => undefined);
    const headers = { "cf-connecting-ip": address() };
    const guess = () => get("/healthz?deep=1", { token: "guess", headers });
    expect(await statuses(5, guess)).toEqual([401, 401, 401, 429, 429]);
    expect(info).toHaveBeenCalledWith(expect.objectContaining({ event: "sign-in-failed", path: "/healthz" }));
    expect((await get("/healthz", { token: null, headers })).status).toBe(200);
  });

  it("treat an IPv6 network as one address", async () => {
    limits();
    setVariables({ ADDRESS_LIMIT: env.THREE_A_MINUTE });
    const hex = () => Math.floor(Math.random() * 0xfffe + 1).toString(16);
    const network = `2001:db8:${hex()}`;
    const each = [`${network}:0:1:2:3:4`, `${network}::1`, `${network}:0000:ffff::`, `${network.toUpperCase()}::9:9`];
    let turn = 0;
    const make = () => get("/sessions", { token: null, headers: { "cf-connecting-ip": each[turn++] ?? "" } });
    expect(await statuses(4, make)).toEqual([401, 401, 401, 429]);
    const next = { "cf-connecting-ip": `${network}:1::1` };
    expect((await get("/sessions", { token: null, headers: next })).status).toBe(401);
  });

  it("are off when the binding fails", async () => {
    limits();
    setVariables({ SERVICE_LIMIT: { limit: () => Promise.reject(new Error("down")) } });
    expect((await get("/sessions")).status).toBe(200);
  });
});
