/**
 * The answer to a value of a wrong type has the reason in it, and is never "Invalid input" alone. The calls are made from
 * the app's own routes and schemas, so a new route is tested here without a line of its own.
 */
import * as z from "zod";
import { describe, expect, it } from "vitest";
import { apiRoutes } from "../../../src/api-docs.ts";
import type { DescribedRoute } from "../../../src/routes/openapi/document.ts";
import { call, put } from "../../support/api.ts";
import type { Answer } from "../../support/api.ts";
import { unique } from "../../support/create.ts";

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

type Path = readonly (string | number)[];

const schemaOf = (route: DescribedRoute, place: "body" | "query"): JsonSchema => {
  const input = route.inputs.find((one) => one.in === place);
  return input ? (z.toJSONSchema(input.schema, { io: "input", unrepresentable: "any" }) as JsonSchema) : {};
};

/** The paths of all fields, and the empty one of the whole. */
const pathsIn = ({ properties = {}, items, anyOf = [] }: JsonSchema, path: Path = []): Path[] => [
  path,
  ...Object.entries(properties).flatMap(([name, field]) => pathsIn(field, [...path, name])),
  ...(items ? pathsIn(items, [...path, 0]) : []),
  ...anyOf.flatMap((option) => pathsIn(option, path)),
];

/** A body with a value at a path. */
function withValueAt(given: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === "number") return [withValueAt(undefined, rest, value)];
  const fields = (typeof given === "object" ? given : {}) as Record<string, unknown>;
  return { ...fields, [step]: withValueAt(fields[step], rest, value) };
}

const WRONG = [null, -7.5, "", "?", true, [], [7], {}, { role: 7 }];

/** All texts in an answer. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const SAYS_NOTHING = /^(Invalid input[.:]?|.*: Invalid input|)$/;

/** Which of the texts of a refusal do not say what is wrong. */
const emptyTexts = ({ status, body }: Answer): string[] =>
  [400, 422].includes(status) ? textsIn(messagesOf(body)).filter((text) => SAYS_NOTHING.test(text)) : [];

/** The messages of a refusal, in the form of any dialect: without paths and repeated input, which may be empty. */
function messagesOf(body: Answer["body"]): unknown {
  const issues = Array.isArray(body.error) ? body.error : (body.error?.details ?? []);
  const texts = issues.map((issue: Record<string, string>) => issue["msg"] ?? issue["message"]);
  return [body.message ?? body.detail ?? body.error?.message ?? [], texts];
}

/** Nothing of a name in it exists, so that a call with valid input does little. */
const pathOf = ({ path }: DescribedRoute) =>
  path.replace("{count}", "5").replace(/\{\w+\}/g, "0123456789abcdef01234567");

const bodies = apiRoutes.filter(({ inputs }) => inputs.some((input) => input.in === "body"));
const queries = apiRoutes.filter(({ inputs }) => inputs.some((input) => input.in === "query"));
const named = (routes: DescribedRoute[]) => routes.map((route) => [`${route.method} ${route.path}`, route] as const);

describe("a refusal says what is wrong", () => {
  it.each(named(bodies))("%s, with each field of its body", async (_, route) => {
    const paths = pathsIn(schemaOf(route, "body"));
    let refused = 0;
    for (const path of paths) {
      for (const value of WRONG) {
        const body = withValueAt({ ...(route.operation.example as object) }, path, value);
        const answer = await call(route.method.toUpperCase(), pathOf(route), body);
        expect([path, value, emptyTexts(answer)]).toEqual([path, value, []]);
        if ([400, 422].includes(answer.status)) refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  it.each(named(queries))("%s, with each parameter of its query", async (_, route) => {
    for (const [name] of Object.entries(schemaOf(route, "query").properties ?? {}))
      for (const value of ["", "?", "-7.5", "[]", "x".repeat(3000)]) {
        const query = new URLSearchParams({ [name]: value });
        const answer = await call(route.method.toUpperCase(), `${pathOf(route)}?${query.toString()}`);
        expect([name, value, emptyTexts(answer)]).toEqual([name, value, []]);
      }
  });

  it("of a client's external id in the path", async () => {
    const { status, body } = await put(`/clients/by-external-id/${"x".repeat(201)}`, { name: unique("c") });
    expect([status, body.message]).toEqual([400, expect.stringMatching(/^Invalid input: externalId: .*200/)]);
  });
});
