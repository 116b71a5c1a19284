/** Makes the AI SDK's UI messages. No effects. */
import type * as z from "zod";
import { authorFor, canSee } from "../../core/caller.ts";
import type { Caller } from "../../core/caller.ts";
import type { Message } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import { isOnPath } from "../../core/message-tree.ts";
import type { Session } from "../../core/session.ts";
import type { EndOfReply } from "../http/open-reply.ts";
import { idOf } from "./message-ids.ts";
import type { ReplyMetadata, UiMessage } from "./response-schemas.ts";

/** What is known of a reply: what `finish` has at its end. */
export const presentMetadata = ({
  finishReason,
  usage,
  durationMs,
  ttftMs,
}: Pick<EndOfReply, "finishReason" | "usage" | "durationMs" | "ttftMs">): z.output<typeof ReplyMetadata> => ({
  ...(usage ? { usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens } } : {}),
  ...(durationMs == null ? {} : { durationMs }),
  ...(ttftMs == null ? {} : { ttftMs }),
  ...(finishReason === "stop" ? {} : { finishReason }),
});

/** Whether a caller sees a message in the conversation of its session. */
export const isShown = ({ activePath }: Session, message: Message, viewer: Pick<Caller, "role">): boolean =>
  hasText(message) && isOnPath(activePath, message.seq) && canSee(viewer, message.role);

export function presentMessage(message: Message, viewer: Pick<Caller, "role">): z.output<typeof UiMessage> {
  const { role, content, reply, author } = message;
  const metadata = reply ? presentMetadata(reply) : author && { author: authorFor(viewer.role, author) };
  return {
    id: idOf(message),
    role,
    parts: [{ type: "text", text: content }],
    ...(metadata ? { metadata } : {}),
  };
}
