/**
 * `/openapi.json`: the API's own description, a static asset that is made when the Worker is built (`src/dev/write-assets.ts`).
 * Here it only gets the headers of an answer. And `/`, which leads a browser to the console.
 *
 * In this folder: `operations` has the types of a description, `inputs` the schemas of what routes take, `json-schema` makes JSON Schema of
 * them, and `document` makes the document from the app.
 */
import { Hono } from "hono/tiny";
import type { Context } from "hono";
import type * as z from "zod";
import type { AppEnv } from "../http/context.ts";
import type { Index } from "./docs.ts";

const INDEX = {
  name: "Parley",
  console: "/console",
  docs: "/docs",
  openapi: "/openapi.json",
  health: "/healthz",
} satisfies z.output<typeof Index>;

export const openapi = new Hono<AppEnv>({ strict: false })
  .get("/", (c) => {
    c.header("vary", "Accept", { append: true });
    return c.req.header("accept")?.includes("text/html") ? c.redirect("/console") : c.json(INDEX);
  })
  .get("/openapi.json", (c) => sendAsset(c, "/openapi.json", "application/json"));

/** Sends a file of the assets. Its own headers are not sent: they would let browsers keep it. */
async function sendAsset(c: Context<AppEnv>, path: string, contentType: string): Promise<Response> {
  const asset = await c.env.ASSETS.fetch(new URL(path, c.req.url));
  if (!asset.ok) throw new Error(`The assets have no ${path}: run wrangler, which makes them`);
  return c.newResponse(asset.body, 200, { "content-type": contentType });
}
