/** *Runs*: data sets that are put to endpoints. Without an id it lists them; `new` makes one. */
import { RunList } from "./list/run-list.tsx";
import { RunView } from "./run/run-view.tsx";
import { NewRun } from "./setup/new-run.tsx";
import "../compare/results/results.css";
import "./runs.css";
import "./answers/answers.css";

/** Ids of runs end with a time, so none is this. */
const NEW = "new";

export function RunsPage({ id }: { id: string }) {
  if (id === "") return <RunList />;
  return id === NEW ? <NewRun /> : <RunView id={id} />;
}
