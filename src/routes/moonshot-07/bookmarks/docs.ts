/** The routes of `/api/v1/bookmarks` as the OpenAPI document describes them. */
import type { Operations } from "../../openapi/operations.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot 0.7";

export const operations: Operations = {
  "GET /": {
    id: "moonshot07ListBookmarks",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List bookmarks, by name",
    response: { status: 200, description: "All bookmarks, or the one of a name", schema: schemas.Bookmarks },
    problems: [404],
  },
  "POST /": {
    id: "moonshot07CreateBookmark",
    headers: ["idempotency-key"],
    tag,
    summary: "Keep the texts of a record under a name",
    response: { status: 200, description: "Bookmark created", schema: schemas.BookmarkChange },
    problems: [409],
    example: { name: "Good answer", prompt: "Hello", prepared_prompt: "Hello", response: "Hello! How can I help?" },
  },
  "DELETE /": {
    id: "moonshot07DeleteBookmarks",
    tag,
    summary: "Delete the bookmark of a name, or all of them",
    response: { status: 200, description: "Deleted", schema: schemas.BookmarkChange },
    problems: [404],
  },
  "GET /name": {
    id: "moonshot07ListBookmarkNames",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List the names of bookmarks",
    response: { status: 200, description: "All names", schema: schemas.BookmarkNames },
  },
  "GET /export": {
    id: "moonshot07ExportBookmarks",
    tag,
    summary: "Export bookmarks",
    response: { status: 200, description: "A JSON file, sent while it is read", schema: schemas.BookmarkFile },
  },
};
