/**
 * The routes of `/v1/bookmarks` as the OpenAPI document describes them: summaries, answers, problems, examples. Bodies
 * are not described here: the validators in `index.ts` document their own schemas.
 */
import { Success } from "../../moonshot-shared/response-schemas.ts";
import type { Operations } from "../../openapi/operations.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot";

export const operations: Operations = {
  "GET /": {
    id: "listBookmarks",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List bookmarks, by name",
    response: {
      status: 200,
      description: "All bookmarks. A long list is sent while it is read",
      schema: schemas.Bookmarks,
    },
  },
  "POST /": {
    id: "createBookmark",
    headers: ["idempotency-key"],
    tag,
    summary: "Keep a copy of a record under a name",
    response: { status: 200, description: "Bookmark created", schema: Success },
    problems: [404, 409],
    example: {
      name: "Good answer",
      session_id: "testsession1_20240315-043147",
      chat_id: "openaigpt4test1_20240315_043147",
      chat_record_id: 1,
      note: "Cites its source",
    },
  },
  "GET /:name": {
    id: "getBookmark",
    tag,
    summary: "Get a bookmark",
    response: { status: 200, description: "The bookmark", schema: schemas.Bookmark },
    problems: [404],
  },
  "DELETE /:name": {
    id: "deleteBookmark",
    tag,
    summary: "Delete a bookmark",
    response: { status: 200, description: "Bookmark deleted", schema: Success },
    problems: [404],
  },
};
