/**
 * The table of contents of the API: the middleware in the order in which a call passes it, and where each resource is
 * mounted. What a route does does not belong here.
 */
import { Hono } from "hono/tiny";
import { TrieRouter } from "hono/router/trie-router";
import { timing } from "hono/timing";
import { aiSdk } from "./routes/ai-sdk/dialect.ts";
import { uiChat } from "./routes/ai-sdk/index.ts";
import { health } from "./routes/health.ts";
import { authenticate } from "./routes/http/authenticate.ts";
import { logSampledCall } from "./routes/http/call-log.ts";
import type { AppEnv } from "./routes/http/context.ts";
import { allowOrigins, preventCsrf } from "./routes/http/cors.ts";
import type { Dialect } from "./routes/http/dialect.ts";
import { validateIdempotencyKey } from "./routes/http/idempotency.ts";
import { requireLocalHost } from "./routes/http/local-start.ts";
import { limitCaller } from "./routes/http/rate-limits.ts";
import { respondWithError } from "./routes/http/respond-with-error.ts";
import { respondWithProblem, setDialect } from "./routes/http/respond-with-problem.ts";
import { setRequestId } from "./routes/http/request-id.ts";
import { requireRoute } from "./routes/http/route-table.ts";
import { setSecureHeaders } from "./routes/http/secure-headers.ts";
import { refuseUntakenInput } from "./routes/http/validate.ts";
import { moonshot07 } from "./routes/moonshot-07/dialect.ts";
import { apiV1 } from "./routes/moonshot-07/index.ts";
import { moonshot } from "./routes/moonshot/dialect.ts";
import { v1 } from "./routes/moonshot/index.ts";
import { noTransform, requireTimeZone } from "./routes/moonshot-shared/middleware.ts";
import { openai } from "./routes/openai/dialect.ts";
import { openaiV1 } from "./routes/openai/index.ts";
import { openapi } from "./routes/openapi/index.ts";
import { chatbots } from "./routes/session-api/chatbots/index.ts";
import { clients } from "./routes/session-api/clients/index.ts";
import { sessionApi } from "./routes/session-api/dialect.ts";
import { feedback } from "./routes/session-api/feedback/index.ts";
import { keys } from "./routes/session-api/keys/index.ts";
import { me } from "./routes/session-api/me/index.ts";
import { sessions } from "./routes/session-api/sessions/index.ts";

/** The dialects of the API. The last one has every path that no other has. */
export const dialects: readonly Dialect[] = [moonshot, moonshot07, openai, aiSdk, sessionApi];

/** With one router: finding the methods of a path needs this one anyway, and Hono's default adds two more to the bundle. */
export const app: Hono<AppEnv> = new Hono<AppEnv>({ router: new TrieRouter(), strict: false })
  .use(setDialect(dialects))
  .use(setRequestId)
  .use(logSampledCall)
  .use(timing())
  .use("/v1/*", noTransform)
  .use("/api/v1/*", noTransform)
  .use(setSecureHeaders)
  .use(requireLocalHost)
  .use(allowOrigins)
  .use(requireRoute(() => app))
  .use(authenticate)
  .use(limitCaller)
  .use(preventCsrf)
  .use(refuseUntakenInput)
  .use(validateIdempotencyKey)
  .use("/v1/*", requireTimeZone)
  .use("/api/v1/*", requireTimeZone)
  .route("/sessions", sessions)
  .route("/v1", v1)
  .route("/api/v1", apiV1)
  .route("/openai/v1", openaiV1)
  .route("/ui/chat", uiChat)
  .route("/chatbots", chatbots)
  .route("/clients", clients)
  .route("/feedback", feedback)
  .route("/keys", keys)
  .route("/me", me)
  .route("/", health)
  .route("/", openapi)
  .notFound((c) => respondWithProblem(c, { reason: "route-not-found" }))
  .onError(respondWithError);
