/**
 * `/openapi.json` for programs, `/docs` for people: the API's own description, and `/`, which leads there. In this folder: `describe` is what
 * routes use, `document` makes the document from the app, `docs-page` makes a page of it. The document is made once, at
 * the first call.
 */
import { Hono } from "hono/tiny";
import * as z from "zod";
import type { AppEnv } from "../http/context.ts";
import type { Dialect } from "../http/dialect.ts";
import { describe } from "./describe.ts";
import { docsPage } from "./docs-page.ts";
import { openapiDocument } from "./document.ts";

const Index = z.object({ name: z.string(), docs: z.string(), openapi: z.string(), health: z.string() });

const INDEX = { name: "Parley", docs: "/docs", openapi: "/openapi.json", health: "/healthz" } satisfies z.output<
  typeof Index
>;

export function openapi(app: () => Hono<AppEnv>, dialects: readonly Dialect[]) {
  let cached: ReturnType<typeof openapiDocument> | undefined;
  const document = () => (cached ??= openapiDocument(app(), dialects));
  return new Hono<AppEnv>({ strict: false })
    .get(
      "/",
      describe({
        id: "index",
        tag: "Service",
        summary: "Leads a browser to the documentation, and names its addresses to other callers",
        response: { status: 200, description: "The addresses of the documentation", schema: Index },
      }),
      (c) => {
        c.header("vary", "Accept", { append: true });
        return c.req.header("accept")?.includes("text/html") ? c.redirect("/docs") : c.json(INDEX);
      },
    )
    .get(
      "/openapi.json",
      describe({
        id: "openapi",
        tag: "Service",
        summary: "The OpenAPI 3.1 document",
        response: { status: 200, description: "This document", contentType: "application/json" },
      }),
      (c) => c.json(document()),
    )
    .get(
      "/docs",
      describe({
        id: "docs",
        tag: "Service",
        summary: "The same document as a page",
        response: { status: 200, description: "A page", contentType: "text/html" },
      }),
      (c) => c.html(docsPage(document(), c.get("secureHeadersNonce") ?? "")),
    );
}
