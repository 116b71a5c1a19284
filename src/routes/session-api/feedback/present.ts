/** Makes the Session API's JSON of feedback on messages. No effects. */
import type * as z from "zod";
import { authorFor } from "../../../core/caller.ts";
import type { MessageFeedback } from "../../../core/message-feedback.ts";
import { isoTime } from "../../../core/time.ts";
import type { ListedFeedback } from "../../../store/message-feedback.ts";
import { omitNulls } from "../envelope.ts";
import type * as schemas from "./response-schemas.ts";

export const presentFeedback = ({
  rating,
  tags,
  comment,
  updatedAt,
}: MessageFeedback): z.output<typeof schemas.Feedback> => ({
  rating,
  ...omitNulls({ tags: tags.length === 0 ? null : tags, comment }),
  updatedAt: isoTime(updatedAt),
});

export const presentGiven = (sessionId: string, feedback: MessageFeedback): z.output<typeof schemas.GivenFeedback> => ({
  sessionId,
  seq: feedback.seq,
  ...presentFeedback(feedback),
});

export function presentListed(feedback: ListedFeedback): z.output<typeof schemas.ListedFeedback> {
  const { sessionId, seq, chatbotId, clientId, isShortened } = feedback;
  const { content, createdAt, author = null, finishReason = null, answered, answeredContent } = feedback.message;
  const ending = finishReason === "stop" ? null : finishReason;
  return {
    sessionId,
    seq,
    chatbotId: chatbotId || null,
    clientId: clientId || null,
    ...presentFeedback(feedback),
    message: {
      role: "assistant",
      content,
      timestamp: isoTime(createdAt),
      ...omitNulls({ author: author && authorFor(null, author), finishReason: ending }),
    },
    ...(answered === null
      ? {}
      : {
          userMessage: {
            seq: answered.seq,
            content: answeredContent ?? "",
            timestamp: isoTime(answered.createdAt),
          },
        }),
    ...(isShortened ? { truncated: true as const } : {}),
  };
}
