/**
 * Schemas of the requests to `/sessions`. Rules between fields, such as `endTime` after `startTime`, are
 * in `core/session.ts`.
 */
import * as z from "zod/mini";
import { HANDLERS } from "../../../core/handover.ts";
import { Content, ROLES } from "../../../core/message.ts";
import { SESSION_STATUSES } from "../../../core/session.ts";
import { DAY_MS, isBareDate, parseTime } from "../../../core/time.ts";
import { endpointId, params } from "../chatbots/schemas.ts";
import {
  flag,
  jsonObject,
  isNotBlank,
  limitUpTo,
  name,
  objectId,
  pageQuery,
  refuseValue,
  searchString,
  time,
  wholeNumber,
} from "../../http/fields.ts";

const title = z.string().check(z.maxLength(200));
const status = z.enum(SESSION_STATUSES);
export const feedback = z.strictObject({
  rating: z.optional(z.number().check(z.gte(1), z.lte(5))),
  comment: z.optional(z.string().check(z.maxLength(10_000))),
});

export const CreateSession = z.strictObject({
  chatbotId: objectId,
  clientId: z.optional(objectId).check(z.meta({ description: "Required, except from the client itself" })),
  title: z.optional(title),
  metadata: z.optional(jsonObject),
  startTime: z.optional(time),
});

export const UpdateSession = z.strictObject({
  title: z.optional(title),
  status: z.optional(status),
  startTime: z.optional(time),
  endTime: z.optional(time),
  feedback: z.nullish(feedback),
  metadata: z.nullish(jsonObject),
});

const expectedSeq = z
  .number()
  .check(
    z.int(),
    z.gte(0),
    z.meta({ description: "Answers 409 `session_moved_on` unless this is the `seq` of the session's last message" }),
  );

export const AddMessage = z.strictObject({
  message: z.strictObject({ role: z.enum(ROLES), content: Content, timestamp: z.optional(time) }),
  expectedSeq: z.optional(expectedSeq),
});

const upTo = (characters: number) =>
  z.string().check(z.maxLength(characters), z.refine(isNotBlank, "must not be blank"));
const reason = upTo(1000);

export const RequestHuman = z.strictObject({ reason: z.optional(reason) });

export const TakeOver = z.strictObject({
  operator: z.strictObject({
    id: upTo(200),
    name,
  }),
  reason: z.optional(reason),
});

export const HandBack = z.strictObject({ note: z.optional(upTo(10_000)) });

export const Chat = z.strictObject({ content: Content, expectedSeq: z.optional(expectedSeq) });

export const Regenerate = z.strictObject({
  endpointId: z.optional(
    endpointId.check(
      z.meta({ description: "Another endpoint than the chatbot's. It gets `params` and not those of the chatbot" }),
    ),
  ),
  params: z.optional(params),
  expectedSeq: z.optional(expectedSeq),
});

export const Edit = z.strictObject({ content: Content, expectedSeq: z.optional(expectedSeq) });

export const Branch = z.strictObject({
  seq: z.number().check(z.int(), z.gte(1), z.meta({ description: "The last message that is copied" })),
  title: z.optional(title),
});

export const SessionQuery = z.strictObject({ sessionId: objectId });

/** A day or a time, as its first millisecond and the first millisecond after it. */
const timeRange = z.pipe(
  z.string().check(z.meta({ format: "date-time" })),
  z.transform((text, context) => {
    const from = parseTime(text);
    if (from === null) return refuseValue(context, "must be an ISO 8601 date or time");
    return { from, before: from + (isBareDate(text) ? DAY_MS : 1) };
  }),
);

export const ListSessions = z.strictObject({
  searchString,
  status: z.optional(status),
  handler: z.optional(z.enum(HANDLERS)),
  chatbotId: z.optional(objectId),
  clientId: z.optional(objectId),
  startDate: z.optional(timeRange),
  endDate: z.optional(timeRange),
  ...pageQuery,
});

export const MessagesQuery = z.strictObject({
  after: z._default(wholeNumber(0), 0),
  limit: limitUpTo(1000, 100),
  tree: z.optional(
    flag.check(z.meta({ description: "Every message, with its place in the tree, and not only the active path" })),
  ),
});
