/** Adopts an answer in the chat that the comparison was made from, or says why that cannot be. */
import { useState } from "preact/hooks";
import { ParleyError } from "../../client/errors.ts";
import type { Result, ResultProps } from "../compare/results/result.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { plural } from "../shared/format.ts";
import { Problem, reasonOf } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { lastSeqOf } from "./last-seq.ts";
import { countLaterMessages } from "./later-messages.ts";

type AdoptResult = Result & { kind: "adopt" };

type Outcome =
  | { state: "asked" | "busy" }
  | { state: "adopted"; seq: number }
  /** @param lastSeq of the chat as it is now; `null` if it takes no answer */
  | { state: "refused"; reason: string; lastSeq: number | null }
  | { state: "failed"; problem: unknown };

export function AdoptView({ id, result, columns }: ResultProps<AdoptResult>) {
  const { from, chatId, turn } = result;
  const { api } = useConsole();
  const { outcome, adopt } = useAdoption(id, result);
  // A refusal says that the chat has gone on since.
  const later = useLoaded(() => countLaterMessages(api, from, turn), [api, from, turn, outcome.state === "refused"]);
  // A chat that is gone hides nothing: the answer to the call says so.
  const isKnown = later.value !== null || later.problem !== null;
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
      <Later count={later.value ?? 0} />
      {outcome.state === "failed" && <Problem problem={outcome.problem} />}
      {outcome.state === "refused" && <Refusal from={from} {...outcome} onAdopt={adopt} />}
      {outcome.state !== "refused" && isKnown && (
        <button type="button" class="primary" disabled={outcome.state === "busy"} onClick={() => void adopt()}>
          Adopt
        </button>
      )}
    </div>
  );
}

const Later = ({ count }: { count: number }) =>
  count === 0 ? null : (
    <p class="note">
      {plural(count, "later message")} of this chat{" "}
      {count === 1 ? "leaves its path; it stays" : "leave its path; they stay"} as another variant.
    </p>
  );

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
