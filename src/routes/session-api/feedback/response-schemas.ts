/** Schemas of feedback on messages in answers. */
import * as z from "zod";
import { FINISH_REASONS } from "../../../core/message.ts";
import { RATINGS } from "../../../core/message-feedback.ts";
import { AuthorOutput, idOutput, timeOutput } from "../../http/response-fields.ts";

const fields = {
  rating: z.literal(RATINGS),
  tags: z.array(z.string()).optional().meta({ description: "If there are any" }),
  comment: z.string().optional(),
  updatedAt: timeOutput.meta({ description: "When it was given or last changed" }),
};

/** Feedback as a message shows it. */
export const Feedback = z.object(fields).meta({ id: "MessageFeedback", description: "Feedback on a message" });

const seq = z.number().int();

export const GivenFeedback = z.object({ sessionId: idOutput, seq, ...fields }).meta({ id: "GivenFeedback" });

export const ListedFeedback = z
  .object({
    sessionId: idOutput,
    seq: seq.meta({ description: "Of the rated message" }),
    chatbotId: idOutput.nullable().meta({ description: "`null` in a session with an endpoint" }),
    clientId: idOutput.nullable(),
    ...fields,
    message: z
      .object({
        role: z.literal("assistant"),
        content: z.string(),
        timestamp: timeOutput,
        author: AuthorOutput.optional(),
        finishReason: z.enum(FINISH_REASONS).optional().meta({ description: "Of a reply that did not end normally" }),
      })
      .meta({ description: "The rated message" }),
    userMessage: z
      .object({ seq, content: z.string(), timestamp: timeOutput })
      .optional()
      .meta({ description: "The user message that it answers. A greeting answers none" }),
    truncated: z.literal(true).optional().meta({
      description: "In a list of over 2 million characters: the texts of both messages are cut to 8,000",
    }),
  })
  .meta({ id: "ListedFeedback" });
