/** The list of runs, newest first. */
import { useEffect, useState } from "preact/hooks";
import type { RunSummary } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { addressOf } from "../../router.ts";
import { titlesOf, useChatbotNames } from "../../shared/endpoint-titles.tsx";
import { integer, plural, shortTime } from "../../shared/format.ts";
import { PlusIcon } from "../../shared/icons.tsx";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import { ProgressBar } from "../run/progress-bar.tsx";
import { STATUS_TEXT } from "../words.ts";
import "../../shared/rows.css";

const PAGE_SIZE = 25;
/** How often the list is loaded again while one looks at it. */
const RELOAD_MS = 5_000;

export function RunList() {
  const { api } = useConsole();
  const [skip, setSkip] = useState(0);
  // One more than is shown: then there are older ones.
  const { value, problem, reload } = useLoaded(() => api.runs.list({ limit: PAGE_SIZE + 1, skip }), [api, skip]);
  useEffect(() => {
    const timer = setInterval(reload, RELOAD_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <section class="page">
      <div class="page-head">
        <h1>Runs</h1>
        <a class="button" href={addressOf("runs", "new")}>
          <PlusIcon />
          New run
        </a>
      </div>
      <p class="lead">
        A data set to several endpoints, each in a conversation of its own. A run goes on when you leave.
      </p>
      <Problem problem={problem} onRetry={reload} />
      {value && <Rows runs={value.slice(0, PAGE_SIZE)} />}
      {value && (skip > 0 || value.length > PAGE_SIZE) && (
        <nav class="pages" aria-label="Pages of the list">
          <button type="button" disabled={skip === 0} onClick={() => setSkip(Math.max(0, skip - PAGE_SIZE))}>
            Newer
          </button>
          <button type="button" disabled={value.length <= PAGE_SIZE} onClick={() => setSkip(skip + PAGE_SIZE)}>
            Older
          </button>
        </nav>
      )}
    </section>
  );
}

function Rows({ runs }: { runs: RunSummary[] }) {
  const names = useChatbotNames(runs.flatMap(({ endpoints }) => endpoints));
  if (runs.length === 0)
    return <p class="note">There is no run yet. Make one from a file of prompts, or from some lines that you paste.</p>;
  return (
    <ul class="rows link-rows">
      {runs.map((run) => (
        <li key={run.run_id}>
          <Row run={run} titles={[...titlesOf(run.endpoints, names).values()]} />
        </li>
      ))}
    </ul>
  );
}

/** @param props.titles of the endpoints */
function Row({ run, titles }: { run: RunSummary; titles: string[] }) {
  const { run_id: id, name, status, progress, repeat, created_epoch: created } = run;
  const at = new Date(created * 1000);
  return (
    <a class="link-row" href={addressOf("runs", id)}>
      <span class="link-row-title">{name}</span>
      <span class="link-row-state">
        {progress.errors > 0 && <span class="badge badge-bad">{integer(progress.errors)} failed</span>}
        <StatusBadge status={status} />
      </span>
      <span class="link-row-detail">
        {[titles.join(", "), repeat > 1 && `${repeat} times`, plural(progress.of, "answer")]
          .filter(Boolean)
          .join(" · ")}
      </span>
      <time class="link-row-detail" dateTime={at.toISOString()}>
        {shortTime(at)}
      </time>
      {status !== "completed" && <ProgressBar progress={progress} label={`Progress of ${name}`} />}
    </a>
  );
}

export const StatusBadge = ({ status }: { status: RunSummary["status"] }) => (
  <span class={`badge ${BADGES[status] ?? ""}`}>{STATUS_TEXT[status]}</span>
);

const BADGES: Partial<Record<RunSummary["status"], string>> = {
  running: "badge-accent",
  paused: "badge-warn",
  failed: "badge-bad",
};
