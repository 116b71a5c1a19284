/** Schemas of the requests to `/v1/bookmarks`. */
import * as z from "zod/mini";
import { bookmarkName } from "../../moonshot-shared/bookmarks/fields.ts";

export const CreateBookmark = z.strictObject({
  name: bookmarkName,
  session_id: z.string().check(z.minLength(1), z.maxLength(300)),
  chat_id: z.string().check(z.minLength(1), z.maxLength(400)),
  chat_record_id: z.int().check(z.gte(1)),
  note: z._default(z.nullable(z.string().check(z.maxLength(1000))), null),
});
