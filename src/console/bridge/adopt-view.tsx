/** Adopts an answer in the chat that the comparison was made from, or says why that cannot be. */
import { useState } from "preact/hooks";
import { ParleyError } from "../../client/errors.ts";
import type { Result, ResultProps } from "../compare/results/result.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { Problem, reasonOf } from "../shared/problem.tsx";
import { lastSeqOf } from "./last-seq.ts";

type AdoptResult = Result & { kind: "adopt" };

type Outcome =
  | { state: "asked" | "busy" }
  | { state: "adopted"; seq: number }
  /** @param lastSeq of the chat as it is now; `null` if it takes no answer */
  | { state: "refused"; reason: string; lastSeq: number | null }
  | { state: "failed"; problem: unknown };

export function AdoptView({ id, result, columns }: ResultProps<AdoptResult>) {
  const { from, chatId, isLast } = result;
  const { outcome, adopt } = useAdoption(id, result);
  const title = columns.find((column) => column.chatId === chatId)?.title;
  if (outcome.state === "adopted")
    return (
      <p class="note" role="status">
        Adopted. <a href={addressOf("chats", from, outcome.seq)}>See it in the chat</a>
      </p>
    );
  return (
    <div class="fields">
      <p>
        The answer of <strong>{title}</strong> takes the place of the recorded one in the chat. That stays there as
        another variant.
      </p>
      {!isLast && <p class="note">What followed the recorded answer is then no longer shown; it stays in the log.</p>}
      {outcome.state === "failed" && <Problem problem={outcome.problem} />}
      {outcome.state === "refused" && <Refusal from={from} {...outcome} onAdopt={adopt} />}
      {outcome.state !== "refused" && (
        <button type="button" class="primary" disabled={outcome.state === "busy"} onClick={() => void adopt()}>
          Adopt
        </button>
      )}
    </div>
  );
}

function useAdoption(id: string, { from, chatId, number }: AdoptResult) {
  const { api } = useConsole();
  const [outcome, setOutcome] = useState<Outcome>({ state: "asked" });
  const adopt = async (expectedSeq?: number) => {
    setOutcome({ state: "busy" });
    const expected = expectedSeq === undefined ? {} : { expected_seq: expectedSeq };
    try {
      const seq = await api.comparisons.adopt(id, { chat_id: chatId, chat_record_id: number, ...expected });
      setOutcome({ state: "adopted", seq });
    } catch (problem) {
      if (!(problem instanceof ParleyError) || problem.status !== 409) return setOutcome({ state: "failed", problem });
      const lastSeq = await lastSeqOf(api, from).catch(() => null);
      setOutcome({ state: "refused", reason: reasonOf(problem), lastSeq });
    }
  };
  return { outcome, adopt };
}

interface RefusalProps {
  from: string;
  reason: string;
  lastSeq: number | null;
  onAdopt: (expectedSeq: number) => Promise<void>;
}

const Refusal = ({ from, reason, lastSeq, onAdopt }: RefusalProps) => (
  <>
    <div class="note note-bad" role="alert">
      <span>Not adopted. {reason}.</span>
      <a href={addressOf("chats", from, lastSeq ?? "")}>Look at the chat</a>
    </div>
    {lastSeq !== null && (
      <button type="button" onClick={() => void onAdopt(lastSeq)}>
        Adopt all the same
      </button>
    )}
  </>
);
