/**
 * Makes Moonshot's statistics of a comparison session: those of each chat, and the total. Reads the log once. How
 * replies are counted does not belong here: that is `core/reply-statistics.ts`.
 */
import type * as z from "zod";
import { RECORDED_CHAT } from "../../../core/bridge.ts";
import type { Message } from "../../../core/message.ts";
import { ReplyCounter } from "../../../core/reply-statistics.ts";
import type { ReplyStatistics } from "../../../core/reply-statistics.ts";
import type { Session } from "../../../core/session.ts";
import { endpointNameOf } from "../../moonshot-shared/sessions/record-sources.ts";
import type * as schemas from "./result-schemas.ts";

const presentReplyStatistics = ({
  finishReasons,
  durationMs,
  ttftMs,
  usage,
  // Only chatbots have summaries.
  summaries: _summaries,
  ...counts
}: ReplyStatistics): z.output<typeof schemas.ReplyStatistics> => ({
  ...counts,
  finish_reasons: finishReasons,
  duration_ms: durationMs,
  ttft_ms: ttftMs,
  usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
});

export async function presentStatistics(
  session: Session,
  log: AsyncIterable<Message>,
): Promise<z.output<typeof schemas.Statistics>> {
  const counters = new Map(session.chats.map((chat) => [chat.chatId, { chat, counter: new ReplyCounter() }]));
  const total = new ReplyCounter();
  for await (const { chatId, reply } of log) {
    const found = counters.get(chatId ?? "");
    if (!found || !reply) continue;
    found.counter.add(reply);
    // Nobody was asked for the recorded answers.
    if (chatId !== RECORDED_CHAT) total.add(reply);
  }
  return {
    session_id: session.id,
    chats: [...counters.values()].map(({ chat, counter }) => ({
      chat_id: chat.chatId,
      endpoint: endpointNameOf(chat),
      ...presentReplyStatistics(counter.statistics),
    })),
    total: presentReplyStatistics(total.statistics),
  };
}
