/** A `POST` that needs none of its fields may come without a body, and the OpenAPI document says which ones may. */
import { describe, expect, it } from "vitest";
import { apiDocument, apiRoutes, dialectDocs } from "../../../src/api-docs.ts";
import { docsOf, documentPath } from "../../../src/routes/openapi/document.ts";
import type { DescribedRoute } from "../../../src/routes/openapi/document.ts";
import { call, get, post } from "../../support/api.ts";
import type { Answer } from "../../support/api.ts";
import { createComparison, createEndpoint, createSession } from "../../support/create.ts";

interface Described {
  requestBody?: { required: boolean };
}

const documented = (route: DescribedRoute): Described | undefined =>
  (apiDocument["paths"] as Record<string, Record<string, Described>>)[documentPath(route)]?.[route.method];

const withBody = apiRoutes.filter(({ inputs }) => inputs.some((input) => input.in === "body"));
const named = (routes: DescribedRoute[]) => routes.map((route) => [`${route.method} ${route.path}`, route] as const);
const isOptional = (route: DescribedRoute) => documented(route)?.requestBody?.required === false;

/** Nothing of a name in it exists, so a call with valid input is 404 or the like. */
const pathOf = ({ path }: DescribedRoute) => path.replace(/\{\w+\}/g, "0123456789abcdef01234567");

/** Calls without a body: with none at all, with an empty one, and as `curl -d ''` does. */
const callsWithoutBody = (method: string, path: string): Promise<Answer>[] => [
  call(method, path),
  call(method, path, ""),
  call(method, path, "", { headers: { "content-type": "application/x-www-form-urlencoded", "content-length": "0" } }),
];

/** An answer without what differs between any two. */
const lasting = ({ status, body }: Answer) => [status, { ...body, error: { ...body.error, requestId: "" } }];

describe("a call without a body", () => {
  it("is taken by these routes", () => {
    expect(withBody.filter(isOptional).map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        "/sessions/{id}/request-human",
        "/sessions/{id}/handback",
        "/sessions/{id}/messages/{seq}/regenerate",
        "/v1/sessions/{id}/replay",
      ]),
    );
  });

  it.each(named(withBody.filter(isOptional)))("%s is as one with {}", async (_, route) => {
    const method = route.method.toUpperCase();
    const empty = await call(method, pathOf(route), {});
    for (const answer of await Promise.all(callsWithoutBody(method, pathOf(route))))
      expect(lasting(answer)).toEqual(lasting(empty));
  });

  it.each(named(withBody.filter((route) => !isOptional(route))))("%s is refused", async (_, route) => {
    const { invalidInputStatus } = docsOf(dialectDocs, route.path).dialect;
    for (const body of [undefined, ""]) {
      const answer = await call(route.method.toUpperCase(), pathOf(route), body);
      expect([answer.status, JSON.stringify(answer.body)]).toEqual([
        invalidInputStatus,
        expect.stringMatching(/A (JSON )?body is required/),
      ]);
    }
  });

  it("with a query that is not taken is refused for the query", async () => {
    const { status, body } = await post("/sessions/0123456789abcdef01234567/handback?unheardOf=1");
    expect([status, body.message]).toEqual([400, "Invalid input: unheardOf: unknown query parameter"]);
  });

  it("does what the route does", async () => {
    const id = await createSession();
    await post(`/sessions/chat?sessionId=${id}`, { content: "Hello" });
    const { messages } = (await get(`/sessions/${id}/messages`)).body.data;
    const again = await post(`/sessions/${id}/messages/${messages.at(-1).seq}/regenerate`, "");
    expect([again.status, again.body.data.content]).toEqual([200, "Hello"]);
    expect((await post(`/sessions/${id}/request-human`, "")).body.data.handler).toBe("waiting");
    await post(`/sessions/${id}/takeover`, { operator: { id: "o", name: "Ada" } });
    expect((await post(`/sessions/${id}/handback`, "")).body.data.handler).toBe("bot");
    const { session_id: comparison } = await createComparison([await createEndpoint()]);
    const { status, body } = await post(`/v1/sessions/${comparison}/replay`, "");
    expect([status, body]).toEqual([(await post(`/v1/sessions/${comparison}/replay`, {})).status, body]);
  });
});
