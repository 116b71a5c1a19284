/** Why earlier replies failed: the events of the log only say that they did, so it is read from the records. */
import { useEffect } from "preact/hooks";
import { useConsole } from "../context.ts";
import type { Comparison } from "./comparison.ts";

export function useErrorsOfEarlierReplies(id: string, comparison: Comparison): void {
  const { api } = useConsole();
  const isUnknown = comparison.turns.some((turn) =>
    [...turn.replies.values()].some(({ state, error }) => state === "error" && error === null),
  );
  useEffect(() => {
    if (!isUnknown) return;
    // The failure of a reply that has just ended comes in an event of its own, right behind.
    const timer = setTimeout(() => void fill(), 500);
    const fill = async () => {
      const { records: history } = await api.comparisons.history(id);
      for (const [chatId, records] of Object.entries(history))
        for (const record of records) {
          const reply = comparison.turns[record.chat_record_id - 1]?.replies.get(chatId);
          if (reply?.state === "error" && reply.error === null) reply.end("error", record.error ?? UNKNOWN);
        }
    };
    return () => clearTimeout(timer);
  }, [isUnknown]);
}

const UNKNOWN = { code: "unknown", message: "The reason is no longer known." };
