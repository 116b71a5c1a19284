/**
 * The handlers of `/v1/llm_endpoints` that read endpoints or call one. Those that change them are in
 * `moonshot-shared/llm-endpoints`. Effects: queries to D1, and the call of a test.
 */
import type { Context } from "hono";
import { database } from "../../../store/database.ts";
import * as store from "../../../store/endpoints.ts";
import type { AppEnv } from "../../http/context.ts";
import { respondWithList } from "../../http/respond-with-list.ts";
import { respondWithEndpointNotFound } from "../../moonshot-shared/llm-endpoints/handlers.ts";
import { presentEndpoint } from "./present.ts";
import { testEndpoint as callOnce } from "./test-endpoint.ts";

type AppContext = Context<AppEnv>;

export const listEndpoints = (c: AppContext) => respondWithList(c, store.endpointPages, presentEndpoint);

export async function getEndpoint(c: AppContext, id: string) {
  const endpoint = await store.findEndpoint(database(c.env.DB), id);
  return endpoint ? c.json(presentEndpoint(endpoint)) : respondWithEndpointNotFound(c, id);
}

export async function testEndpoint(c: AppContext, id: string) {
  const endpoint = await store.findEndpoint(database(c.env.DB), id);
  if (!endpoint) return respondWithEndpointNotFound(c, id);
  return c.json(await callOnce(endpoint, { env: c.env, waitUntil: (work) => c.executionCtx.waitUntil(work) }));
}
