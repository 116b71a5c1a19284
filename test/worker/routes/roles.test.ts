/** Which role may call which route, as a table. */
import { describe, expect, it } from "vitest";
import { OPEN_PATHS } from "../../../src/routes/http/authenticate.ts";
import { apiRoutes } from "../../../src/api-docs.ts";
import type { DescribedRoute } from "../../../src/routes/openapi/document.ts";
import { call, post } from "../../support/api.ts";
import { createClient } from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

const ADMIN = ["admin"];
const STAFF = ["admin", "service", "anonymous"];
/** Who chats. */
const CHATTERS = [...STAFF, "client"];
const OPERATORS = [...STAFF, "operator"];
const EVERYONE = [...OPERATORS, "client"];
const ROLES = EVERYONE;

/** Who may call what. A new route fails here until it has a line. */
const MATRIX: Record<string, string[]> = {
  "post /sessions": CHATTERS,
  "get /sessions": EVERYONE,
  "get /sessions/{id}": EVERYONE,
  "put /sessions/{id}": CHATTERS,
  "delete /sessions/{id}": CHATTERS,
  "post /sessions/{id}/end": EVERYONE,
  "post /sessions/message": EVERYONE,
  "post /sessions/chat": CHATTERS,
  "get /sessions/{id}/messages": EVERYONE,
  "put /sessions/{id}/messages/{seq}/feedback": EVERYONE,
  "delete /sessions/{id}/messages/{seq}/feedback": EVERYONE,
  "get /feedback": OPERATORS,
  "post /sessions/{id}/messages/{seq}/regenerate": CHATTERS,
  "post /sessions/{id}/messages/{seq}/edit": CHATTERS,
  "put /sessions/{id}/messages/{seq}/active": CHATTERS,
  "post /sessions/{id}/branch": CHATTERS,
  "get /sessions/{id}/export": EVERYONE,
  "get /sessions/{id}/stats": EVERYONE,
  "get /sessions/{id}/events": EVERYONE,
  "get /sessions/{id}/ws": EVERYONE,
  "post /sessions/{id}/tickets": EVERYONE,
  "post /sessions/{id}/stop": CHATTERS,
  "post /sessions/{id}/request-human": EVERYONE,
  "post /sessions/{id}/takeover": OPERATORS,
  "post /sessions/{id}/handback": OPERATORS,
  "post /chatbots": STAFF,
  "get /chatbots": OPERATORS,
  "get /chatbots/{id}": OPERATORS,
  "get /chatbots/{id}/stats": OPERATORS,
  "put /chatbots/{id}": STAFF,
  "delete /chatbots/{id}": STAFF,
  "post /clients": STAFF,
  "get /clients": OPERATORS,
  "get /clients/{id}": OPERATORS,
  "get /clients/{id}/stats": OPERATORS,
  "put /clients/{id}": STAFF,
  "put /clients/by-external-id/{externalId}": STAFF,
  "delete /clients/{id}": STAFF,
  "get /me": EVERYONE,
  "post /keys": ["admin", "service"],
  "get /keys": ADMIN,
  "delete /keys/{id}": ADMIN,
  "get /v1/sessions": STAFF,
  "post /v1/sessions": STAFF,
  "get /v1/sessions/{id}": STAFF,
  "delete /v1/sessions/{id}": STAFF,
  "post /v1/sessions/{id}/prompt": STAFF,
  "get /v1/sessions/{id}/events": STAFF,
  "get /v1/sessions/{id}/ws": STAFF,
  "post /v1/sessions/{id}/tickets": STAFF,
  "post /v1/sessions/{id}/replay": STAFF,
  "post /v1/sessions/{id}/adopt": STAFF,
  "post /v1/sessions/{id}/cancel": STAFF,
  "get /v1/sessions/{id}/export": STAFF,
  "get /v1/sessions/{id}/stats": STAFF,
  "put /v1/sessions/{id}/prompt_templates/{name}": STAFF,
  "delete /v1/sessions/{id}/prompt_templates/{name}": STAFF,
  "put /v1/sessions/{id}/context_strategies/{name}": STAFF,
  "delete /v1/sessions/{id}/context_strategies/{name}": STAFF,
  "get /v1/llm_endpoints": STAFF,
  "post /v1/llm_endpoints": ADMIN,
  "get /v1/llm_endpoints/{id}": STAFF,
  "post /v1/llm_endpoints/{id}/test": STAFF,
  "put /v1/llm_endpoints/{id}": ADMIN,
  "delete /v1/llm_endpoints/{id}": ADMIN,
  "get /v1/connectors": STAFF,
  "get /v1/prompt_templates": STAFF,
  "post /v1/prompt_templates": STAFF,
  "delete /v1/prompt_templates/{name}": STAFF,
  "get /v1/context_strategies": STAFF,
  "put /v1/sessions/{id}/system_prompt": STAFF,
  "delete /v1/sessions/{id}/system_prompt": STAFF,
  "get /api/v1/sessions": STAFF,
  "post /api/v1/sessions": STAFF,
  "get /api/v1/sessions/name": STAFF,
  "get /api/v1/sessions/{id}": STAFF,
  "delete /api/v1/sessions/{id}": STAFF,
  "post /api/v1/sessions/{id}/prompt": STAFF,
  "post /api/v1/sessions/{id}/cancel": STAFF,
  "get /api/v1/sessions/{id}/close": STAFF,
  "put /api/v1/sessions/{id}/prompt-template/{name}": STAFF,
  "delete /api/v1/sessions/{id}/prompt-template/{name}": STAFF,
  "put /api/v1/sessions/{id}/context-strategy/{name}/{count}": STAFF,
  "delete /api/v1/sessions/{id}/context-strategy/{name}/{count}": STAFF,
  "put /api/v1/sessions/{id}/system-prompt": STAFF,
  "delete /api/v1/sessions/{id}/system-prompt": STAFF,
  "put /api/v1/sessions/{id}/attack-module/{name}": STAFF,
  "delete /api/v1/sessions/{id}/attack-module/{name}": STAFF,
  "get /api/v1/attack-modules": STAFF,
  "get /api/v1/attack-modules/metadata": STAFF,
  "put /api/v1/sessions/{id}/metric/{name}": STAFF,
  "delete /api/v1/sessions/{id}/metric/{name}": STAFF,
  "get /api/v1/llm-endpoints": STAFF,
  "post /api/v1/llm-endpoints": ADMIN,
  "get /api/v1/llm-endpoints/name": STAFF,
  "get /api/v1/llm-endpoints/{id}": STAFF,
  "put /api/v1/llm-endpoints/{id}": ADMIN,
  "delete /api/v1/llm-endpoints/{id}": ADMIN,
  "get /api/v1/prompt-templates": STAFF,
  "get /api/v1/prompt-templates/name": STAFF,
  "delete /api/v1/prompt-templates/{name}": STAFF,
  "get /api/v1/context-strategies": STAFF,
  "get /api/v1/context-strategies/name": STAFF,
  "get /api/v1/connectors": STAFF,
  "get /api/v1/connectors/name": STAFF,
  "get /v1/bookmarks": STAFF,
  "post /v1/bookmarks": STAFF,
  "get /v1/bookmarks/{name}": STAFF,
  "delete /v1/bookmarks/{name}": STAFF,
  "get /v1/runs": STAFF,
  "post /v1/runs": STAFF,
  "get /v1/runs/{id}": STAFF,
  "delete /v1/runs/{id}": STAFF,
  "get /v1/runs/{id}/events": STAFF,
  "post /v1/runs/{id}/pause": STAFF,
  "post /v1/runs/{id}/resume": STAFF,
  "post /v1/runs/{id}/cancel": STAFF,
  "get /v1/runs/{id}/results": STAFF,
  "post /v1/runs/{id}/retry_errors": STAFF,
  "get /v1/runs/{id}/export": STAFF,
  "get /api/v1/bookmarks": STAFF,
  "post /api/v1/bookmarks": STAFF,
  "delete /api/v1/bookmarks": STAFF,
  "get /api/v1/bookmarks/name": STAFF,
  "get /api/v1/bookmarks/export": STAFF,
  "get /api/v1/cookbooks": STAFF,
  "get /api/v1/cookbooks/name": STAFF,
  "get /api/v1/recipes": STAFF,
  "get /api/v1/recipes/name": STAFF,
  "get /api/v1/datasets": STAFF,
  "get /api/v1/datasets/name": STAFF,
  "get /api/v1/metrics": STAFF,
  "get /api/v1/metrics/name": STAFF,
  "get /api/v1/runners": STAFF,
  "get /api/v1/runners/name": STAFF,
  "get /api/v1/benchmarks/results": STAFF,
  "get /api/v1/benchmarks/status": STAFF,
  "get /api/v1/benchmarks/results/name": STAFF,
  "post /ui/chat": CHATTERS,
  "get /ui/chat/{id}": EVERYONE,
  "get /ui/chat/{id}/stream": EVERYONE,
  "get /openai/v1/models": CHATTERS,
  "get /openai/v1/models/{id}": CHATTERS,
  "post /openai/v1/chat/completions": CHATTERS,
  "post /openai/v1/responses": CHATTERS,
  "get /openai/v1/responses/{id}": CHATTERS,
  "delete /openai/v1/responses/{id}": CHATTERS,
  "post /openai/v1/responses/{id}/cancel": CHATTERS,
};

const routes = apiRoutes.filter(({ path }) => !OPEN_PATHS.includes(path));
const nameOf = ({ method, path }: DescribedRoute) => `${method} ${path}`;

const NOWHERE = "0123456789abcdef01234567";

/** Routes that need a query. */
const QUERIES: [RegExp, string][] = [
  [/\/sessions\/(message|chat)$/, `?sessionId=${NOWHERE}`],
  [/^delete \/api\/v1\/bookmarks$/, "?name=none"],
];

/** A valid call to something that does not exist. */
function wellFormed({ method, path, operation }: DescribedRoute, clientId: string, token: string | null) {
  const address = path.replace("{id}", NOWHERE).replace("{name}", "none").replace("{count}", "5");
  const query = QUERIES.find(([ofPath]) => ofPath.test(`${method} ${path}`))?.[1] ?? "";
  const example = operation.example as object | undefined;
  const body = example && ("clientId" in example ? { ...example, clientId } : example);
  const headers: Record<string, string> = path.endsWith("/ws") ? { upgrade: "websocket" } : {};
  return call(method.toUpperCase(), address + query, body, { token, headers });
}

/** Why a route refuses a role. */
function reasonOf(name: string, role: string): string {
  if (name === "post /keys" && role === "anonymous") return "Only a call with a token creates keys";
  const own = role === "anonymous" ? "a call without a token has the role service" : `this one has the role ${role}`;
  const needed = ["admin", "service", "operator", "client"].filter((one) => MATRIX[name]?.includes(one));
  return `This call needs a token of role ${needed.join(", ").replace(/, (\w+)$/, " or $1")}: ${own}`;
}

describe("the roles that may call", () => {
  it("are listed for every route", () => {
    expect(Object.keys(MATRIX).toSorted()).toEqual(routes.map(nameOf).toSorted());
  });

  it.each(ROLES)("are enforced on every route for %s", async (role) => {
    const clientId = await createClient();
    const own = role === "client" ? { clientId } : {};
    if (role === "anonymous") setVariables({ ANONYMOUS_ROLE: "service" });
    const token = role === "anonymous" ? null : (await post("/keys", { name: role, role, ...own })).body.data.key;
    const denied: string[] = [];
    for (const route of routes) {
      const { status, body } = await wellFormed(route, clientId, token);
      expect([200, 201, 403, 404, 409]).toContain(status);
      if (status !== 403) continue;
      denied.push(nameOf(route));
      expect(body.message ?? body.detail ?? body.error.message).toBe(reasonOf(nameOf(route), role));
    }
    const expected = routes.map(nameOf).filter((name) => !MATRIX[name]?.includes(role));
    expect(denied).toEqual(expected);
  });
});
