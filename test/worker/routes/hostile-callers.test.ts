/** Generated hostile callers: tokens, claims, ids and keys of their own making. */
import { exports } from "cloudflare:workers";
import * as fc from "fast-check";
import { importJWK, SignJWT } from "jose";
import { describe, expect, inject, it, vi } from "vitest";
import { OPEN_PATHS } from "../../../src/routes/http/authenticate.ts";
import { apiRoutes } from "../../../src/api-docs.ts";
import { ADMIN_KEY, call, del, get, post } from "../../support/api.ts";
import { hostile } from "../../support/hostile.ts";
import { setVariables } from "../../support/settings.ts";

const RUNS = inject("hostileRuns");

const routes = apiRoutes.filter(({ path }) => !OPEN_PATHS.includes(path));

/** What a header can carry. */
const headerText = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 200 }),
  fc.constantFrom("parley_", `parley_${"0".repeat(64)}`, "a.b.c", "e30.e30.e30", "admin", "anonymous", "undefined"),
  fc.constantFrom(ADMIN_KEY.slice(0, -1), `${ADMIN_KEY}x`, ADMIN_KEY.toUpperCase(), "x".repeat(8_000)),
);

describe("a hostile caller", () => {
  it("with any token, ticket or subprotocol gets in nowhere, and leaves no id of its own", async () => {
    vi.spyOn(console, "info").mockImplementation(() => undefined);
    const places: ((text: string) => [Record<string, string>, string])[] = [
      (text) => [{ authorization: `Bearer ${text}` }, ""],
      (text) => [{ authorization: text }, ""],
      (text) => [{ "sec-websocket-protocol": `parley.v1, bearer.${text}` }, ""],
      (text) => [{}, `?ticket=${encodeURIComponent(text)}`],
    ];
    const calls = fc.record({
      route: fc.constantFrom(...routes),
      text: headerText,
      place: fc.constantFrom(...places),
      id: headerText,
    });
    const property = fc.asyncProperty(calls, async ({ route: { method, path }, text, place, id }) => {
      const [headers, query] = place(text);
      const address = `http://parley.test${path.replace(/\{\w+\}/g, "none")}${query}`;
      const answer = await exports.default.fetch(address, {
        method: method.toUpperCase(),
        // The runtime lets only a GET ask for an upgrade.
        headers: { ...headers, ...(method === "get" ? { upgrade: "websocket" } : {}), "x-request-id": id },
      });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers.get("cache-control")).toMatch(/^no-store/);
      expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin");
      await answer.arrayBuffer();
    });
    await fc.assert(property, { numRuns: RUNS * 6 });
    vi.restoreAllMocks();
  });

  it("with any claims in a good JWT is the subject that it names, or nobody", async () => {
    setVariables({
      JWT_JWKS_URL: `${inject("identityProvider")}/hostile/keys`,
      JWT_ISSUER: "https://identity.example",
      JWT_AUDIENCE: "parley",
    });
    const { kid, alg, ...jwk } = inject("signingKeys").ec;
    const key = await importJWK(jwk, alg);
    const claims = fc.record({ sub: hostile, role: fc.oneof(fc.constant("service"), hostile), client_id: hostile });
    const property = fc.asyncProperty(claims, async (given) => {
      const exp = Math.floor(Date.now() / 1000) + 60;
      const payload: Record<string, unknown> = { iss: "https://identity.example", aud: "parley", exp, ...given };
      const token = await new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(key);
      // Over 16 KiB the runtime refuses the header itself.
      fc.pre(token.length < 16_000);
      const { status, body } = await get("/me", { token });
      const sub = JSON.parse(JSON.stringify(given)).sub as unknown;
      const isSubject = typeof sub === "string" && sub.length >= 1 && sub.length <= 1_024;
      expect(isSubject ? [200, 403] : [401]).toContain(status);
      if (status === 200) expect(body.data).toMatchObject({ id: `jwt:${String(sub)}`, role: given.role });
    });
    await fc.assert(property, { numRuns: RUNS * 4 });
  });

  it("gets nothing that was deleted, in whatever order it creates and deletes", async () => {
    const steps = fc.array(fc.record({ key: fc.constantFrom("a", "b"), deletes: fc.boolean() }), { maxLength: 12 });
    const property = fc.asyncProperty(steps, fc.uuid(), async (sequence, run) => {
      const living = new Map<string, string>();
      const seen = new Set<string>();
      for (const { key, deletes } of sequence) {
        const id = living.get(key);
        if (deletes) {
          if (id !== undefined) expect((await del(`/clients/${id}`)).status).toBe(200);
          living.delete(key);
          continue;
        }
        const made = await post("/clients", { name: "x" }, { headers: { "idempotency-key": `${run}${key}` } });
        expect([made.status, made.headers.get("idempotency-replayed")]).toEqual([
          201,
          id === undefined ? null : "true",
        ]);
        if (id === undefined) expect(seen).not.toContain(made.body.data.id);
        else expect(made.body.data.id).toBe(id);
        seen.add(made.body.data.id);
        living.set(key, made.body.data.id);
      }
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it("without a token shares no idempotency key, on any route", async () => {
    setVariables({ ANONYMOUS_ROLE: "service" });
    const property = fc.asyncProperty(fc.constantFrom(...routes), headerText, async ({ method, path }, key) => {
      fc.pre(method === "post" && key !== "");
      const headers = { "idempotency-key": key };
      const answer = await call("POST", path.replace(/\{\w+\}/g, "none"), {}, { token: null, headers });
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain("needs a token");
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
