/** The pages about the API itself, as the OpenAPI document describes them. */
import * as z from "zod";
import type { Operations } from "./operations.ts";

/** What `GET /` answers to a program. */
export const Index = z.object({
  name: z.string(),
  console: z.string(),
  docs: z.string(),
  openapi: z.string(),
  health: z.string(),
});

export const operations: Operations = {
  "GET /": {
    id: "index",
    tag: "Service",
    summary:
      "Leads a browser to the console, and names the addresses of the console and the documentation to other callers",
    response: { status: 200, description: "The addresses", schema: Index },
  },
  "GET /openapi.json": {
    id: "openapi",
    tag: "Service",
    summary: "The OpenAPI 3.1 document",
    response: { status: 200, description: "This document", contentType: "application/json" },
  },
};
