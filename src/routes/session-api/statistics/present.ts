/** Makes the JSON of statistics. No effects. */
import type * as z from "zod";
import type { ConversationStatistics } from "../../../core/conversation-statistics.ts";
import { omitNulls } from "../envelope.ts";
import type * as schemas from "./response-schemas.ts";

export const presentStatistics = ({
  ok,
  cancelled,
  errors,
  ttftMs,
  durationMs,
  usage,
  cost,
  ...counts
}: ConversationStatistics): z.output<typeof schemas.Statistics> => ({
  sessions: counts.sessions,
  turns: counts.turns,
  messages: counts.messages,
  replies: { ok, cancelled, errors },
  ...omitNulls({ ttft_ms: ttftMs, duration_ms: durationMs }),
  usage: { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
  ...omitNulls({ cost }),
  ratings: counts.ratings,
  takeovers: counts.takeovers,
});
