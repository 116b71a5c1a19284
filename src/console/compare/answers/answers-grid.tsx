/**
 * The answers: a column for each chat, a row for each prompt. The whole scrolls together, so that the answers to one prompt stay side
 * by side. It follows its end until one scrolls up.
 */
import { useRef } from "preact/hooks";
import { RECORDED_CHAT } from "../../../core/bridge.ts";
import { matchAdopted } from "../../bridge/adopted-answers.ts";
import type { AdoptedAnswer } from "../../bridge/adopted-answers.ts";
import { FormattedText } from "../../shared/replies/formatted-text.tsx";
import { useFollowedPlace } from "../../shared/use-followed-place.ts";
import type { AnswerPlace } from "../answer-place.ts";
import type { Column } from "../columns.ts";
import type { Comparison, Turn } from "../comparison.ts";
import type { Adoptable, Result } from "../results/result.ts";
import { TurnRow } from "./turn-row.tsx";

interface GridProps {
  comparison: Comparison;
  columns: Column[];
  adopted: AdoptedAnswer[];
  /** The answer to show first. */
  target: AnswerPlace | null;
  onStop: (chatId: string) => void;
  onAgain: (prompt: string) => void;
  onResult: (result: Result) => void;
}

export function AnswersGrid({ comparison, columns, adopted, target, onStop, onAgain, onResult }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  useFollowedPlace(scroller, comparison, target && ".cell-target");
  const rows = rowsOf(comparison, columns, adopted);
  return (
    <div class="answers" ref={scroller} tabIndex={0} role="region" aria-label="Answers">
      <div class="answers-inside" style={{ "--columns": columns.length }}>
        <div class="column-heads" aria-hidden="true">
          {columns.map(({ chatId, title, detail }) => (
            <div key={chatId} class="column-head" title={chatId}>
              <strong>{title}</strong>
              <span>{detail}</span>
            </div>
          ))}
        </div>
        {comparison.greetings.size > 0 && <Greetings greetings={comparison.greetings} columns={columns} />}
        {rows.map(({ turn, adoptable }, index) => (
          <TurnRow
            key={turn.turnId}
            number={index + 1}
            turn={turn}
            columns={columns}
            adoptable={adoptable}
            target={target?.number === index + 1 ? target.chatId : null}
            onStop={onStop}
            onAgain={onAgain}
            onResult={onResult}
          />
        ))}
        {comparison.turns.length === 0 && <p class="hint answers-empty">No prompt yet. Write one below.</p>}
      </div>
    </div>
  );
}

interface GreetingsProps {
  /** By chat id. */
  greetings: ReadonlyMap<string, string>;
  columns: Column[];
}

/** What chatbots say before the first prompt. */
const Greetings = ({ greetings, columns }: GreetingsProps) => (
  <section class="turn turn-answers" aria-label="Greetings">
    {columns.map(({ chatId, title }) => (
      <div key={chatId} class="cell">
        {greetings.has(chatId) && (
          <article class="answer" aria-label={`Greeting of ${title}`}>
            <p class="answer-name">{title}</p>
            <FormattedText text={greetings.get(chatId) ?? ""} />
            <footer class="answer-foot">Greeting</footer>
          </article>
        )}
      </div>
    ))}
  </section>
);

/** Turns of a chat, and the place of each in it. Prompts that somebody put beside them have none. */
function rowsOf(
  { session, turns }: Comparison,
  columns: Column[],
  adopted: AdoptedAnswer[],
): { turn: Turn; adoptable: Adoptable | null }[] {
  const from = session?.from_session;
  let number = 0;
  return turns.map((turn) => {
    if (from === undefined || !turn.replies.has(RECORDED_CHAT)) return { turn, adoptable: null };
    number += 1;
    const answers = columns.map((column) => ({ ...column, text: turn.replies.get(column.chatId)?.text ?? "" }));
    const ofTurn = adopted.filter((one) => one.turn === number);
    return { turn, adoptable: { from, turn: number, adopted: matchAdopted(ofTurn, answers) } };
  });
}
