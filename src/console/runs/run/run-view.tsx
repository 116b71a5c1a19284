/** A run: how far it is, what came out by endpoint, and all its answers. */
import { EndpointTitles } from "../../shared/endpoint-titles.tsx";
import { Problem } from "../../shared/problem.tsx";
import { AnswersSection } from "../answers/answers-section.tsx";
import { progressText } from "../words.ts";
import { Figures } from "./figures.tsx";
import { ProgressBar } from "./progress-bar.tsx";
import { RunHead } from "./run-head.tsx";
import { useRun } from "./use-run.ts";

export function RunView({ id }: { id: string }) {
  const { run, problem, reload } = useRun(id);
  if (!run)
    return problem === null ? <p class="page hint">Loading …</p> : <FailedPage problem={problem} onRetry={reload} />;
  return (
    <section class="page run-page">
      <RunHead run={run} onChange={reload} />
      <Problem problem={problem} onRetry={reload} />
      <div class="run-progress">
        <ProgressBar progress={run.progress} label="Progress" />
        <p class="hint">{progressText(run)}</p>
      </div>
      <EndpointTitles endpoints={run.endpoints}>
        <Figures run={run} />
        <AnswersSection run={run} />
      </EndpointTitles>
    </section>
  );
}

const FailedPage = (props: { problem: unknown; onRetry: () => void }) => (
  <section class="page">
    <Problem {...props} />
    <a href="#/runs">All runs</a>
  </section>
);
