/** Schemas of the answers of `/api/v1/bookmarks`. */
import * as z from "zod";

export const Bookmark = z
  .object({
    name: z.string(),
    prompt: z.string(),
    prepared_prompt: z.string(),
    response: z.string(),
    context_strategy: z.string(),
    prompt_template: z.string(),
    attack_module: z.string(),
    metric: z.string(),
    bookmark_time: z.string(),
  })
  .meta({ id: "Moonshot07Bookmark" });

export const Bookmarks = z.array(Bookmark);

export const BookmarkNames = z.array(z.string());

export const BookmarkFile = z.object({ bookmarks: Bookmarks });

export const BookmarkChange = z.object({ success: z.literal(true), message: z.string() });
