/**
 * `/openapi.json` for programs, `/docs` for people: the API's own description. In this folder: `describe` is what
 * routes use, `document` makes the document from the app, `docs-page` makes a page of it. The document is made once, at
 * the first call.
 */
import { Hono } from "hono/tiny";
import type { AppEnv } from "../http/context.ts";
import type { Dialect } from "../http/dialect.ts";
import { describe } from "./describe.ts";
import { docsPage } from "./docs-page.ts";
import { openapiDocument } from "./document.ts";

export function openapi(app: () => Hono<AppEnv>, dialects: readonly Dialect[]) {
  let cached: ReturnType<typeof openapiDocument> | undefined;
  const document = () => (cached ??= openapiDocument(app(), dialects));
  return new Hono<AppEnv>({ strict: false })
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
