/** Adopts an answer in the chat that the comparison was made from, or says why that cannot be. */
import { useState } from "preact/hooks";
import { ParleyError } from "../../client/errors.ts";
import type { Turn } from "../compare/comparison.ts";
import { RECORDED_CHAT } from "../../core/bridge.ts";
import type { Result, ResultProps } from "../compare/results/result.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { plural } from "../shared/format.ts";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { rememberAdoption } from "./adopted-answers.ts";
import { readChatNow } from "./chat-now.ts";
import { countLaterMessages } from "./later-messages.ts";
import type { RecordedTexts } from "./later-messages.ts";
import { refusalOf } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";

type AdoptResult = Result & { kind: "adopt" };

type Outcome =
  | { state: "asked" | "busy" }
  | { state: "adopted"; seq: number }
  | { state: "refused"; refusal: Refusal }
  | { state: "failed"; problem: unknown };

export function AdoptView({ id, result, columns, turns }: ResultProps<AdoptResult>) {
  const { from, chatId, turn } = result;
  const { api } = useConsole();
  const { outcome, adopt } = useAdoption(id, result);
  // A refusal says that the chat has gone on since.
  const later = useLoaded(
    () => countLaterMessages(api, from, recordedTexts(turns, turn)),
    [api, from, turn, outcome.state === "refused"],
  );
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
      {outcome.state === "refused" && <Refused from={from} refusal={outcome.refusal} onAdopt={adopt} />}
      {outcome.state !== "refused" && isKnown && (
        <button type="button" class="primary" disabled={outcome.state === "busy"} onClick={() => void adopt()}>
          Adopt
        </button>
      )}
    </div>
  );
}

/** @param count of the turns of the chat */
const recordedTexts = (turns: Turn[], count: number): RecordedTexts[] =>
  turns
    .filter(({ replies }) => replies.has(RECORDED_CHAT))
    .slice(0, count)
    .map(({ prompt, replies }) => ({ prompt: prompt ?? "", answer: replies.get(RECORDED_CHAT)?.text ?? "" }));

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
      rememberAdoption(id, seq, chatId);
      setOutcome({ state: "adopted", seq });
    } catch (problem) {
      if (!(problem instanceof ParleyError) || problem.status !== 409) return setOutcome({ state: "failed", problem });
      const chat = await readChatNow(api, from).catch(() => null);
      setOutcome({ state: "refused", refusal: refusalOf(problem, chat) });
    }
  };
  return { outcome, adopt };
}

interface RefusedProps {
  from: string;
  refusal: Refusal;
  onAdopt: (expectedSeq?: number) => Promise<void>;
}

const Refused = ({ from, refusal: { text, lastSeq, canRepeat, hasChat }, onAdopt }: RefusedProps) => (
  <>
    <div class="note note-bad" role="alert">
      <span>Not adopted. {text}</span>
      {hasChat && <a href={addressOf("chats", from, lastSeq ?? "")}>Look at the chat</a>}
    </div>
    {canRepeat && (
      <button type="button" class="primary" onClick={() => void onAdopt()}>
        Adopt
      </button>
    )}
    {lastSeq !== null && (
      <button type="button" onClick={() => void onAdopt(lastSeq)}>
        Adopt all the same
      </button>
    )}
  </>
);
