/** One answer in the table: what became of it, its time, its cost. */
import type { RunResult } from "../../../client/types.ts";
import { money, seconds } from "../../shared/format.ts";
import { verdictOf } from "../words.ts";
import type { Verdict } from "../words.ts";

export function AnswerCell({ answer }: { answer: RunResult }) {
  const { error_code: code, duration_ms: time, cost } = answer;
  const details = [time !== null && seconds(time), cost !== null && money(cost)].filter(Boolean).join(" · ");
  return (
    <span class="result-cell">
      <VerdictMark answer={answer} />
      {code === null ? <span class="result-detail">{details}</span> : <span class="result-detail">{code}</span>}
    </span>
  );
}

const BADGES: Partial<Record<Verdict, string>> = {
  passed: "badge-accent",
  "not passed": "badge-warn",
  failed: "badge-bad",
};

export function VerdictMark({ answer }: { answer: Pick<RunResult, "status" | "pass"> }) {
  const verdict = verdictOf(answer);
  return <span class={`badge ${BADGES[verdict] ?? ""}`}>{verdict}</span>;
}
