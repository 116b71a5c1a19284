/** Schemas of the answers of `/v1/bookmarks`. */
import * as z from "zod";
import { ChatRecord } from "../sessions/record-schemas.ts";

const OF_EVERY_RECORD = {
  prompt: true,
  prepared_prompt: true,
  predicted_result: true,
  context_strategy: true,
  prompt_template: true,
} as const;

const BookmarkedRecord = ChatRecord.partial()
  .required(OF_EVERY_RECORD)
  .extend({ attack_module: z.string().optional(), metric: z.string().optional() })
  .meta({
    id: "BookmarkedRecord",
    description:
      "The record as it was when it was bookmarked. One that was saved by Moonshot's web UI has only what that sends",
  });

export const Bookmark = z
  .object({
    name: z.string(),
    session_id: z.string().nullable().meta({ description: "null when Moonshot's web UI saved it" }),
    chat_id: z.string().nullable(),
    chat_record_id: z.number().int().nullable(),
    note: z.string().nullable(),
    created_epoch: z.number(),
    record: BookmarkedRecord,
  })
  .meta({ id: "Bookmark", description: "A copy of a record. It stays when its session is deleted" });

export const Bookmarks = z.array(Bookmark);
