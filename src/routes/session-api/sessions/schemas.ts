/**
 * Schemas of the requests to `/sessions`. Rules between fields, such as `endTime` after `startTime`, are
 * in `core/session.ts`.
 */
import * as z from "zod";
import { Content, ROLES } from "../../../core/message.ts";
import { SESSION_STATUSES } from "../../../core/session.ts";
import { DAY_MS, isBareDate, parseTime } from "../../../core/time.ts";
import { jsonObject, objectId, pageQuery, searchString, time } from "../../http/fields.ts";

const title = z.string().max(200);
const status = z.enum(SESSION_STATUSES);
export const feedback = z.strictObject({
  rating: z.number().min(1).max(5).optional(),
  comment: z.string().max(10_000).optional(),
});

export const CreateSession = z.strictObject({
  chatbotId: objectId,
  clientId: objectId.optional().meta({ description: "Required, except from the client itself" }),
  title: title.optional(),
  metadata: jsonObject.optional(),
  startTime: time.optional(),
});

export const UpdateSession = z.strictObject({
  title: title.optional(),
  status: status.optional(),
  startTime: time.optional(),
  endTime: time.optional(),
  feedback: feedback.nullable().optional(),
  metadata: jsonObject.nullable().optional(),
});

export const AddMessage = z.strictObject({
  message: z.strictObject({ role: z.enum(ROLES), content: Content, timestamp: time.optional() }),
});

export const Chat = z.strictObject({ content: Content });

export const SessionQuery = z.strictObject({ sessionId: objectId });

/** A day or a time, as its first millisecond and the first millisecond after it. */
const timeRange = z
  .string()
  .meta({ format: "date-time" })
  .transform((text, context) => {
    const from = parseTime(text);
    if (from !== null) return { from, before: from + (isBareDate(text) ? DAY_MS : 1) };
    context.addIssue({ code: "custom", message: "must be an ISO 8601 date or time" });
    return z.NEVER;
  });

export const ListSessions = z.strictObject({
  searchString,
  status: status.optional(),
  chatbotId: objectId.optional(),
  clientId: objectId.optional(),
  startDate: timeRange.optional(),
  endDate: timeRange.optional(),
  ...pageQuery,
});

export const MessagesQuery = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
