import type { NewMessage } from "../core/message.ts";
import type { Session } from "../core/session.ts";
import type { EpochMs } from "../core/time.ts";
import type { Reply } from "../turn/fan-out.ts";

/** The row of a prompt: of the only chat on a chatbot session, of all chats on a comparison session. */
export const promptMessage = ({ kind, id }: Session, turnId: string, content: string, at: EpochMs): NewMessage => ({
  chatId: kind === "chatbot" ? id : null,
  turnId,
  role: "user",
  content,
  createdAt: at,
  reply: null,
});

export const replyMessage = (turnId: string, { chatId, content, detail }: Reply, at: EpochMs): NewMessage => ({
  chatId,
  turnId,
  role: "assistant",
  content,
  createdAt: at,
  reply: detail,
});

/** What stands in for the replies that were still to come when the object that waited for them went down: what was kept of each. */
export function interruptedReplies(
  session: Session,
  turnId: string,
  chatIds: string[],
  drafts: Map<string, string>,
  at: EpochMs,
): NewMessage[] {
  return chatIds.map((chatId) =>
    replyMessage(
      turnId,
      {
        chatId,
        content: drafts.get(chatId) ?? "",
        retryAfterSeconds: null,
        detail: {
          status: "error",
          endpointId: session.chats.find((chat) => chat.chatId === chatId)?.endpointId ?? null,
          finishReason: "interrupted",
          error: { code: "interrupted", message: "The turn broke off before the reply had ended." },
          model: null,
          usage: null,
          durationMs: 0,
          ttftMs: null,
          attempts: 1,
          providerRequestId: null,
          preparedPrompt: "",
          promptTemplate: session.promptTemplate,
          contextStrategy: session.contextStrategy,
        },
      },
      at,
    ),
  );
}
