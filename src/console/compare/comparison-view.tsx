/** A comparison that is under way: its head, the answers in columns, and the next prompt. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { listAdopted } from "../bridge/adopted-answers.ts";
import type { AdoptedAnswer } from "../bridge/adopted-answers.ts";
import { LazyReplayBar } from "../bridge/lazy-replay-bar.tsx";
import { useConsole } from "../context.ts";
import { useChanges } from "../shared/observable.ts";
import { Problem } from "../shared/problem.tsx";
import { StopIcon } from "../shared/icons.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { readPlace } from "./answer-place.ts";
import { AnswersGrid } from "./answers/answers-grid.tsx";
import { Comparison } from "./comparison.ts";
import { ComparisonHead } from "./comparison-head.tsx";
import { SessionConnection } from "../shared/session-connection.ts";
import { columnsOf } from "./columns.ts";
import type { Column } from "./columns.ts";
import { PromptForm } from "../shared/prompt-form.tsx";
import { useErrorsOfEarlierReplies } from "./earlier-errors.ts";
import { ResultDrawer } from "./results/result-drawer.tsx";
import type { Result } from "./results/result.ts";
import { listChoices } from "./setup/choices.ts";

/** @param part the answer to show first */
export function ComparisonView({ id, part }: { id: string; part: string }) {
  const { comparison, connection } = useOpenComparison(id);
  // The first prompt was written on another page: one goes on writing here.
  const [isBegun] = useState(connection.hasUnsent);
  const [result, setResult] = useState<Result | null>(null);
  const { session } = comparison;
  const adopted = useAdopted(session, result);
  const columns = useColumns(session);
  if (!session) return <Opening connection={connection} />;
  return (
    <section class="comparison" aria-label={session.name}>
      <ComparisonHead session={session} connection={connection} onResult={setResult} />
      {session.from_session !== undefined && <LazyReplayBar comparison={comparison} />}
      <AnswersGrid
        comparison={comparison}
        columns={columns}
        adopted={adopted}
        target={readPlace(part)}
        onStop={(chatId) => connection.stop(chatId)}
        onAgain={(prompt) => connection.prompt(prompt)}
        onResult={setResult}
      />
      <NextPrompt
        id={id}
        comparison={comparison}
        connection={connection}
        chats={session.endpoints.length}
        isBegun={isBegun}
      />
      {result && (
        <ResultDrawer
          id={id}
          result={result}
          columns={columns}
          turns={comparison.turns}
          onClose={() => setResult(null)}
        />
      )}
    </section>
  );
}

/** A comparison that follows its session until the page is left. */
function useOpenComparison(id: string) {
  const { api } = useConsole();
  const comparison = useMemo(() => new Comparison(), [id]);
  const connection = useMemo(
    () => new SessionConnection(id, comparison, (after) => api.comparisons.openSocket(id, after, { retries: 0 })),
    [api, id],
  );
  useEffect(() => () => connection.close(), [connection]);
  useChanges(comparison);
  useChanges(connection);
  useErrorsOfEarlierReplies(id, comparison);
  return { comparison, connection };
}

function useColumns(session: Comparison["session"]): Column[] {
  const { api } = useConsole();
  const { value: choices } = useLoaded(() => listChoices(api), [api]);
  return useMemo(() => columnsOf(session, choices ?? []), [session, choices]);
}

/** An adoption is made in a drawer: what has changed is seen when it closes. */
function useAdopted(session: Comparison["session"], result: Result | null): AdoptedAnswer[] {
  const { api } = useConsole();
  const { value } = useLoaded(
    async () => (session ? listAdopted(api, session) : []),
    [api, session?.session_id, result?.kind === "adopt"],
  );
  return value ?? [];
}

const Opening = ({ connection: { problem } }: { connection: SessionConnection }) =>
  problem === null ? (
    <p class="loading" role="status">
      Opening the comparison …
    </p>
  ) : (
    <section class="page">
      <h1>This comparison cannot be opened</h1>
      <Problem problem={problem} />
      <p>
        <a href="#/compare">All comparisons</a>
      </p>
    </section>
  );

interface NextPromptProps {
  id: string;
  comparison: Comparison;
  connection: SessionConnection;
  chats: number;
  /** Whether its first prompt has just been written. */
  isBegun: boolean;
}

function NextPrompt({ id, comparison, connection, chats, isBegun }: NextPromptProps) {
  const isRunning = comparison.turns.some((turn) => turn.isRunning);
  return (
    <footer class="next-prompt">
      <Problem problem={connection.problem} />
      <PromptForm
        draftName={id}
        label={comparison.turns.length === 0 ? "Prompt" : "Next prompt"}
        hint={hintOf(connection, isRunning, chats)}
        isReady={connection.state !== "closed"}
        refused={connection.refusedPrompt}
        takesFocus={isBegun}
        onSend={(text) => connection.prompt(text)}
      >
        {isRunning && (
          <button type="button" onClick={() => connection.stop()}>
            <StopIcon />
            Stop all
          </button>
        )}
      </PromptForm>
    </footer>
  );
}

function hintOf({ state, hasUnsent }: SessionConnection, isRunning: boolean, chats: number): string {
  if (state === "connecting") return hasUnsent ? "No connection. The prompt is sent when it is back" : "Connecting …";
  if (isRunning) return "A prompt that you send now waits its turn";
  return chats === 1 ? "Enter sends, Shift+Enter begins a new line" : `All ${chats} are asked at once`;
}
