/** One turn of a conversation: the prompt, and the answers of one endpoint or of two. */
import { Difference } from "../../compare/results/difference.tsx";
import { useEndpointTitle } from "../../shared/endpoint-titles.tsx";
import { integer, money, seconds } from "../../shared/format.ts";
import { FormattedText } from "../../shared/replies/formatted-text.tsx";
import { VerdictMark } from "../answers/answer-cell.tsx";
import type { Answer } from "./load-conversation.ts";

interface TurnProps {
  /** From 1. */
  number: number;
  /** By endpoint. */
  answers: Map<string, Answer>;
  endpoints: string[];
  /** Whether the differences of two answers are marked, in place of both. */
  marks: boolean;
}

export function TurnView({ number, answers, endpoints, marks }: TurnProps) {
  const shown = endpoints.map((endpoint) => answers.get(endpoint) ?? null);
  const [prompt] = [...answers.values()].flatMap(({ record }) => (record ? [record.prompt] : []));
  const texts = shown.map((answer) => answer?.record?.predicted_result ?? "");
  const isMarked = marks && texts.length === 2 && texts.every((text) => text !== "");
  return (
    <section class="run-turn" aria-label={`Turn ${number}`}>
      <p class="run-prompt">{prompt ?? "Its session was deleted."}</p>
      <div class={shown.length === 2 ? "run-pair" : ""}>
        {endpoints.map((endpoint, index) => (
          <AnswerView key={endpoint} endpoint={endpoint} answer={shown[index] ?? null} hasText={!isMarked} />
        ))}
      </div>
      {isMarked && <Difference before={texts[0] ?? ""} after={texts[1] ?? ""} />}
    </section>
  );
}

interface AnswerProps {
  endpoint: string;
  answer: Answer | null;
  hasText: boolean;
}

function AnswerView({ endpoint, answer, hasText }: AnswerProps) {
  const title = useEndpointTitle()(endpoint);
  if (!answer) return <p class="hint">{title} has not answered yet.</p>;
  const { result, record } = answer;
  return (
    <article class="run-answer" aria-label={title}>
      <header>
        <strong>{title}</strong>
        <VerdictMark answer={result} />
        <span class="result-detail">{figuresOf(answer)}</span>
      </header>
      {result.error_code !== null && <p class="note note-bad">{record?.error?.message ?? result.error_code}</p>}
      {hasText && record?.predicted_result ? <FormattedText text={record.predicted_result} /> : null}
    </article>
  );
}

function figuresOf({ result: { duration_ms: time, cost }, record }: Answer): string {
  const parts: string[] = [];
  if (time !== null) parts.push(seconds(time));
  if (record?.usage) parts.push(`${integer(record.usage.output_tokens)} tok`);
  if (cost !== null) parts.push(`cost ${money(cost)}`);
  return parts.join(" · ");
}
