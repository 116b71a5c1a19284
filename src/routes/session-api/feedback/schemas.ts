/** Schemas of the requests about feedback on messages. */
import * as z from "zod/mini";
import { MAX_COMMENT_LENGTH, MAX_TAGS, MAX_TAG_LENGTH, RATINGS } from "../../../core/message-feedback.ts";
import { isNotBlank, objectId, pageQuery, refuseValue, timeRange } from "../../http/fields.ts";

const tag = z
  .string()
  .check(
    z.minLength(1, { abort: true }),
    z.maxLength(MAX_TAG_LENGTH),
    z.refine(isNotBlank, "must not be blank"),
    z.meta({ examples: ["wrong"] }),
  );

export const SetFeedback = z.strictObject({
  rating: z.literal(RATINGS).check(z.meta({ description: "1 for a good answer, -1 for a bad one" })),
  tags: z.optional(z.array(tag).check(z.maxLength(MAX_TAGS))),
  comment: z.optional(z.string().check(z.maxLength(MAX_COMMENT_LENGTH))),
});

const rating = z.pipe(
  z.string().check(z.meta({ examples: RATINGS.map(String) })),
  z.transform(
    (text, context) => RATINGS.find((value) => String(value) === text) ?? refuseValue(context, "must be 1 or -1"),
  ),
);

export const ListFeedback = z.strictObject({
  rating: z.optional(rating),
  chatbotId: z.optional(objectId),
  clientId: z.optional(objectId),
  tag: z.optional(tag),
  startDate: z.optional(timeRange),
  endDate: z.optional(timeRange),
  ...pageQuery,
});
