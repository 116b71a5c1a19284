/** The OpenAPI document has every route, and every route asks for a token. */
import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app, dialects } from "../../../src/app.ts";
import { OPEN_PATHS } from "../../../src/routes/http/authenticate.ts";
import { dialectOf } from "../../../src/routes/http/dialect.ts";
import { documentPath } from "../../../src/routes/openapi/document.ts";
import { apiDocument as document, apiRoutes, operations } from "../../../src/api-docs.ts";
import { call } from "../../support/api.ts";
import { faultIn } from "../../support/openapi.ts";

/** Every route of the app. What is registered under a method is no middleware. */
const routes = [
  ...new Set(app.routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => `${method} ${path}`)),
].map((route) => route.split(" ") as [string, string]);

/** The answer to a caller without a token, by the dialect's prefix. A new dialect fails until it has a line here. */
const UNAUTHENTICATED: Record<string, object> = {
  "/v1": { detail: expect.any(String) },
  "/api/v1": { detail: expect.any(String) },
  "/openai/v1": { error: { code: "invalid_api_key", type: "authentication_error" } },
  "/ui": { error: { code: "unauthenticated" } },
  "": { success: false, error: { code: "unauthenticated" } },
};

const templated = (path: string, method: string) => {
  const bare = path.replace(/(?<=.)\/$/, "");
  const route = apiRoutes.find(
    (one) => one.method === method.toLowerCase() && one.path === bare.replace(/:(\w+)/g, "{$1}"),
  );
  return route ? documentPath(route) : bare;
};

describe("each route", () => {
  it("is found by this test", () => {
    expect(routes.length).toBeGreaterThan(30);
  });

  it.each(routes)("%s %s is in the OpenAPI document", (method, path) => {
    const paths = document["paths"] as Record<string, Record<string, unknown>>;
    expect(paths[templated(path, method)]).toHaveProperty(method.toLowerCase());
  });

  it.each(routes.filter(([, path]) => !OPEN_PATHS.includes(path)))(
    "%s %s refuses a caller without a token, in its dialect",
    async (method, path) => {
      const { status, body } = await call(method, path.replace(/:\w+/g, "65f3a1b2c4d5e6f708192a3d"), undefined, {
        token: null,
      });
      expect(status).toBe(401);
      const { prefix } = dialectOf(dialects, path);
      expect(body).toMatchObject(UNAUTHENTICATED[prefix] ?? { [prefix]: "needs a line above" });
    },
  );

  it("is open only if it is in the short list", () => {
    expect(OPEN_PATHS).toEqual(["/", "/healthz", "/openapi.json"]);
  });
});

describe("the OpenAPI document", () => {
  it("describes no route that the app does not have", () => {
    const known = routes.map(([method, path]) => `${method} ${path.replace(/(?<=.)\/$/, "")}`);
    expect(Object.keys(operations).filter((route) => !known.includes(route))).toEqual([]);
  });

  it("gives every operation a unique name", () => {
    const ids = apiRoutes.map(({ operation }) => operation.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("has examples that match their schemas", () => {
    for (const { method, path, operation } of apiRoutes) {
      const { status, schema, example } = operation.response;
      if (schema && example !== undefined)
        expect(faultIn(method, path.replace(/\{\w+\}/g, "x"), status, example)).toBeNull();
    }
  });

  it("does not match a wrong answer", () => {
    expect(faultIn("GET", "/healthz", 200, { status: "well" })).not.toBeNull();
    expect(faultIn("GET", "/healthz", 200, { status: "ok", more: 1 })).not.toBeNull();
    expect(faultIn("GET", "/healthz", 418, {})).not.toBeNull();
    expect(faultIn("GET", "/nowhere", 404, { success: false })).not.toBeNull();
  });

  it("has no tuple, whose items tools with an older JSON Schema refuse", () => {
    expect(JSON.stringify(document)).not.toContain("prefixItems");
  });

  it("is public", async () => {
    const served = await exports.default.fetch("http://parley.test/openapi.json");
    expect(await served.json()).toEqual(JSON.parse(JSON.stringify(document)));
  });
});
