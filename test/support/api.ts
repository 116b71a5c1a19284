/** Calls the app in the Workers runtime, and checks each JSON answer against the OpenAPI document. */
import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import { faultIn } from "./openapi.ts";

export const ADMIN_KEY = "test-admin-key-0123456789abcdef01";

/** Any JSON. The OpenAPI document, not the compiler, checks its shape. */
type Body = ReturnType<typeof JSON.parse>;

export interface Answer {
  status: number;
  body: Body;
  headers: Headers;
}

interface Call {
  token?: string | null;
  headers?: Record<string, string>;
}

/** Calls the API, and compares every JSON answer with the OpenAPI document. */
export async function call(method: string, path: string, body?: unknown, options: Call = {}): Promise<Answer> {
  const answer = await exports.default.fetch(requestOf(method, path, body, options));
  // Read as bytes: `text()` warns for content types that are not text.
  const text = new TextDecoder().decode(await answer.arrayBuffer());
  const isJson = text !== "" && /json\b/.test(answer.headers.get("content-type") ?? "");
  const parsed: unknown = isJson ? JSON.parse(text) : text;
  if (isJson) expect(faultIn(method, path.split("?")[0] ?? "", answer.status, parsed)).toBeNull();
  return { status: answer.status, body: parsed, headers: answer.headers };
}

function requestOf(method: string, path: string, body: unknown, { token = ADMIN_KEY, headers }: Call): Request {
  const sent = new Headers(body === undefined ? {} : { "content-type": "application/json" });
  if (token !== null) sent.set("authorization", `Bearer ${token}`);
  for (const [name, value] of Object.entries(headers ?? {})) sent.set(name, value);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(`http://parley.test${path}`, {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body: text }),
  });
}

export const get = (path: string, options?: Call) => call("GET", path, undefined, options);
export const post = (path: string, body?: unknown, options?: Call) => call("POST", path, body, options);
export const put = (path: string, body?: unknown, options?: Call) => call("PUT", path, body, options);
export const del = (path: string, options?: Call) => call("DELETE", path, undefined, options);
