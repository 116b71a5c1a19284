import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { timing } from "hono/timing";
import { causeOf } from "./core/failure.ts";
import { authenticate } from "./routes/authenticate.ts";
import { chatbots } from "./routes/chatbots/index.ts";
import { clients } from "./routes/clients/index.ts";
import type { AppEnv } from "./routes/context.ts";
import { checkKey } from "./routes/idempotency.ts";
import { keys } from "./routes/keys/index.ts";
import { openapi } from "./routes/openapi/index.ts";
import { crossOrigin, permitPage } from "./routes/origins.ts";
import { limitAddress, limitCaller } from "./routes/rate-limits.ts";
import { refuse } from "./routes/refuse.ts";
import { routeTable } from "./routes/route-table.ts";
import { secured } from "./routes/secure-headers.ts";
import { service } from "./routes/service.ts";
import { sessions } from "./routes/sessions/index.ts";
import { inZone, uncompressed } from "./routes/v1/middleware.ts";
import { v1 } from "./routes/v1/index.ts";

/** The whole API, in the order in which a call meets it. */
export const app: Hono<AppEnv> = new Hono<AppEnv>({ strict: false })
  .use(requestId())
  .use(timing())
  .use("/v1/*", uncompressed)
  .use(secured)
  .use(crossOrigin)
  .use(routeTable(() => app))
  .use(limitAddress)
  .use(authenticate)
  .use(limitCaller)
  .use(permitPage)
  .use(checkKey)
  .use("/v1/*", inZone)
  .route("/sessions", sessions)
  .route("/v1", v1)
  .route("/chatbots", chatbots)
  .route("/clients", clients)
  .route("/keys", keys)
  .route("/", service)
  .route(
    "/",
    openapi(() => app),
  )
  .notFound((c) => refuse(c, { reason: "route-not-found" }))
  .onError((error, c) => {
    console.error({
      event: "unexpected-error",
      requestId: c.var.requestId,
      path: c.req.path,
      error: causeOf(error),
    });
    return refuse(c, { reason: "internal" });
  });
