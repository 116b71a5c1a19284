import type { MiddlewareHandler } from "hono";

/** Keeps proxies from compressing: Moonshot's web UI cannot take a compressed answer. */
export const uncompressed: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("cache-control", "no-transform");
};
