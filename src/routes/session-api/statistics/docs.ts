/** The routes for statistics of a chatbot or a client, as the OpenAPI document describes them. */
import type { Operations } from "../../openapi/operations.ts";
import { itemSchema } from "../envelope-schemas.ts";
import * as schemas from "./response-schemas.ts";

const example = {
  success: true,
  data: {
    sessions: 31,
    turns: 120,
    messages: 268,
    replies: { ok: 114, cancelled: 2, errors: { provider_timeout: 3, rate_limited: 1 } },
    ttft_ms: { min: 180, p50: 412, p90: 804, p95: 1043, p99: 2254, max: 2410 },
    duration_ms: { min: 512, p50: 1845, p90: 4188, p95: 5323, p99: 8103, max: 9120 },
    usage: { input_tokens: 91_240, output_tokens: 20_114 },
    cost: 0.0257544,
    ratings: { up: 18, down: 4 },
    takeovers: 5,
  },
};

/** @param record what the path names: `chatbot` or `client` */
export const statisticsOperation = (record: "chatbot" | "client", tag: string): Operations => ({
  "GET /:id/stats": {
    id: record === "chatbot" ? "getChatbotStatistics" : "getClientStatistics",
    headers: ["x-d1-bookmark"],
    tag,
    summary: `Get the statistics of a ${record}: sessions, turns, outcomes, times, tokens, cost, ratings, take-overs`,
    response: {
      status: 200,
      description: "The statistics. Percentiles are within 1 % of the measured times; all other figures are exact",
      schema: itemSchema(schemas.Statistics),
      example,
    },
    problems: [404],
  },
});
