/**
 * `/api/v1`: the API of Moonshot 0.7, which its web UI of that version calls. This file mounts its resources.
 *
 * In this folder: `sessions`, `llm-endpoints`, `bookmarks` and `lists`, each with its routes in `index.ts`;
 * `attack-modules` makes prompts out of one; `dialect` for problems. What
 * it shares with the Moonshot API of `/v1` is in `moonshot-shared`.
 */
import { Hono } from "hono/tiny";
import type { AppEnv } from "../http/context.ts";
import { bookmarks } from "./bookmarks/index.ts";
import { lists } from "./lists/index.ts";
import { llmEndpoints } from "./llm-endpoints/index.ts";
import { sessions } from "./sessions/index.ts";

export const apiV1 = new Hono<AppEnv>({ strict: false })
  .route("/sessions", sessions)
  .route("/llm-endpoints", llmEndpoints)
  .route("/bookmarks", bookmarks)
  .route("/", lists);
