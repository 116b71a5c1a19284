/** All answers of a run: filters, the table, pages of it, and the conversation of a row. */
import { useMemo, useState } from "preact/hooks";
import type { Run } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { integer, plural } from "../../shared/format.ts";
import { useChanges } from "../../shared/observable.ts";
import { Problem } from "../../shared/problem.tsx";
import { ConversationDrawer } from "../conversation/conversation-drawer.tsx";
import type { Place } from "../conversation/load-conversation.ts";
import { AnswersTable } from "./answers-table.tsx";
import { Filters, NO_FILTER } from "./filters.tsx";
import { Rows } from "./rows.ts";

/** A page of the table. Browsers draw no element of a million rows. */
const PAGE_ROWS = 20_000;

export function AnswersSection({ run }: { run: Run }) {
  const { api } = useConsole();
  const [filter, setFilter] = useState(NO_FILTER);
  const [page, setPage] = useState(0);
  const [opened, setOpened] = useState<Place | null>(null);
  const { run_id: id, endpoints } = run;
  const rows = useMemo(() => new Rows(api, id, filter, endpoints.length), [api, id, filter, endpoints.length]);
  useChanges(rows);
  const total = rows.total ?? 0;
  return (
    <section class="run-answers" aria-label="Answers">
      <div class="page-head">
        <h2>Answers</h2>
        {rows.total !== null && <span class="hint">{plural(rows.answers, "answer")}</span>}
      </div>
      <Filters
        run={run}
        filter={filter}
        onChange={(changed) => {
          setPage(0);
          setFilter(changed);
        }}
      />
      <Problem problem={rows.problem} />
      {rows.total === 0 ? (
        <p class="note">{run.progress.done === 0 ? "No answer yet." : "No answer is like this."}</p>
      ) : null}
      <AnswersTable key={page} run={run} rows={rows} first={page * PAGE_ROWS} most={PAGE_ROWS} onOpen={setOpened} />
      {total > PAGE_ROWS && <Pages total={total} page={page} onPage={setPage} />}
      {opened && <ConversationDrawer run={run} place={opened} onClose={() => setOpened(null)} />}
    </section>
  );
}

interface PagesProps {
  total: number;
  page: number;
  onPage: (page: number) => void;
}

const Pages = ({ total, page, onPage }: PagesProps) => (
  <nav class="pages" aria-label="Pages of the answers">
    <button type="button" disabled={page === 0} onClick={() => onPage(page - 1)}>
      Earlier
    </button>
    <span class="hint">
      Rows {integer(page * PAGE_ROWS + 1)} to {integer(Math.min(total, (page + 1) * PAGE_ROWS))} of {integer(total)}
    </span>
    <button type="button" disabled={(page + 1) * PAGE_ROWS >= total} onClick={() => onPage(page + 1)}>
      Later
    </button>
  </nav>
);
