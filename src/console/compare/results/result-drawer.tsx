/** What is made of the answers: a receipt, a difference, statistics, an export. Each is loaded when it is opened. */
import type { ComponentType } from "preact";
import { Drawer } from "../../shared/drawer.tsx";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import type { Result, ResultProps } from "./result.ts";
import "./results.css";

const LOADERS: { [K in Result["kind"]]: () => Promise<ComponentType<ResultProps<Result & { kind: K }>>> } = {
  receipt: async () => (await import("./receipt.tsx")).ReceiptView,
  adopt: async () => (await import("../../bridge/adopt-view.tsx")).AdoptView,
  bookmark: async () => (await import("../../bookmarks/bookmark-form.tsx")).BookmarkForm,
  difference: async () => (await import("./difference.tsx")).DifferenceView,
  statistics: async () => (await import("./statistics.tsx")).StatisticsView,
  export: async () => (await import("./export.tsx")).ExportView,
};

const TITLES = {
  receipt: "Receipt",
  adopt: "Adopt this answer",
  bookmark: "Bookmark",
  difference: "Differences",
  statistics: "Statistics",
  export: "Export",
} as const;

interface DrawerProps extends ResultProps {
  onClose: () => void;
}

export function ResultDrawer({ onClose, ...props }: DrawerProps) {
  const { kind } = props.result;
  const { value, problem, reload } = useLoaded(
    async () => ({ View: (await LOADERS[kind]()) as ComponentType<ResultProps> }),
    [kind],
  );
  return (
    <Drawer title={TITLES[kind]} onClose={onClose}>
      <Problem problem={problem} onRetry={reload} />
      {value ? <value.View {...props} /> : problem === null && <p class="hint">Loading …</p>}
    </Drawer>
  );
}
