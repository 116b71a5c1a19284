/** The line above a run: its name, its state, and what one can do with it. */
import { useState } from "preact/hooks";
import type { Run } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { goTo } from "../../router.ts";
import { ConfirmButton } from "../../shared/confirm-button.tsx";
import { plural } from "../../shared/format.ts";
import { Problem } from "../../shared/problem.tsx";
import { StatusBadge } from "../list/run-list.tsx";
import { isOpen } from "../words.ts";
import { ExportDrawer } from "./export-drawer.tsx";

interface HeadProps {
  run: Run;
  /** After something was done with the run. */
  onChange: () => void;
}

export function RunHead({ run, onChange }: HeadProps) {
  const [problem, setProblem] = useState<unknown>(null);
  const [isExporting, setIsExporting] = useState(false);
  const { name, status, endpoints, repeat } = run;
  const act = (call: Promise<unknown>, after = onChange) => {
    setProblem(null);
    call.then(after, setProblem);
  };
  return (
    <>
      <div class="page-head">
        <div class="run-title">
          <h1>{name}</h1>
          <StatusBadge status={status} />
        </div>
        <div class="run-actions" role="group" aria-label="Run">
          <Commands run={run} act={act} />
          <button type="button" onClick={() => setIsExporting(true)}>
            Export
          </button>
          <DeleteButton run={run} act={act} />
        </div>
      </div>
      <p class="hint">
        {[plural(endpoints.length, "endpoint"), repeat > 1 && `each item ${repeat} times`, run.run_id]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <Problem problem={problem} />
      {isExporting && <ExportDrawer run={run} onClose={() => setIsExporting(false)} />}
    </>
  );
}

interface ActProps {
  run: Run;
  act: (call: Promise<unknown>, after?: () => void) => void;
}

function Commands({ run, act }: ActProps) {
  const { api } = useConsole();
  const { run_id: id, status, progress } = run;
  return (
    <>
      {status === "running" && (
        <button type="button" onClick={() => act(api.runs.pause(id))}>
          Pause
        </button>
      )}
      {(status === "paused" || status === "cancelled" || status === "failed") && (
        <button type="button" class="primary" onClick={() => act(api.runs.resume(id))}>
          Resume
        </button>
      )}
      {isOpen(run) && <ConfirmButton action="Cancel" object={run.name} onConfirm={() => act(api.runs.cancel(id))} />}
      {progress.errors > 0 && (
        <button type="button" onClick={() => act(api.runs.retryErrors(id))}>
          Ask again for what failed
        </button>
      )}
    </>
  );
}

function DeleteButton({ run: { run_id: id, name }, act }: ActProps) {
  const { api } = useConsole();
  return <ConfirmButton action="Delete" object={name} onConfirm={() => act(api.runs.delete(id), () => goTo("runs"))} />;
}
