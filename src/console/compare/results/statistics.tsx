/** The figures of a comparison over all its prompts, as small charts: one bar for each chat. */
import type { ComparisonStatistics } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { integer, money, seconds } from "../../shared/format.ts";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import type { Column } from "../columns.ts";
import type { ResultProps } from "./result.ts";

type ChatStatistics = ComparisonStatistics["chats"][number];

interface Chart {
  title: string;
  valueOf: (chat: ChatStatistics) => number | null;
  format: (value: number) => string;
}

const CHARTS: Chart[] = [
  { title: "Time to the first token, median", valueOf: ({ ttft_ms: time }) => time?.p50 ?? null, format: seconds },
  { title: "Time of the whole answer, median", valueOf: ({ duration_ms: time }) => time?.p50 ?? null, format: seconds },
  { title: "Output tokens", valueOf: ({ usage }) => usage.output_tokens, format: integer },
  { title: "Cost", valueOf: ({ cost }) => cost, format: money },
  { title: "Failed answers", valueOf: ({ errors }) => sum(Object.values(errors)), format: integer },
];

export function StatisticsView({ id, columns }: ResultProps) {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(() => api.comparisons.statistics(id), [id]);
  if (problem !== null) return <Problem problem={problem} onRetry={reload} />;
  if (!value) return <p class="hint">Loading …</p>;
  return (
    <div class="charts">
      {CHARTS.map((chart) => (
        <BarChart key={chart.title} chart={chart} chats={value.chats} columns={columns} />
      ))}
    </div>
  );
}

const ROW_HEIGHT = 24;
const BAR_HEIGHT = 8;

function BarChart({ chart, chats, columns }: { chart: Chart; chats: ChatStatistics[]; columns: Column[] }) {
  const bars = chats.map((chat) => ({
    id: chat.chat_id,
    title: columns.find(({ chatId }) => chatId === chat.chat_id)?.title ?? chat.endpoint,
    value: chart.valueOf(chat),
  }));
  const largest = Math.max(0, ...bars.map(({ value }) => value ?? 0));
  if (largest === 0) return null;
  return (
    <figure class="chart">
      <figcaption>{chart.title}</figcaption>
      <ul>
        {bars.map(({ id, title, value }) => (
          <li key={id}>
            <span class="chart-name">{title}</span>
            <svg viewBox={`0 0 100 ${ROW_HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
              <rect class="chart-track" y={(ROW_HEIGHT - BAR_HEIGHT) / 2} width="100" height={BAR_HEIGHT} />
              <rect
                class="chart-bar"
                y={(ROW_HEIGHT - BAR_HEIGHT) / 2}
                width={((value ?? 0) / largest) * 100}
                height={BAR_HEIGHT}
              />
            </svg>
            <span class="chart-value">{value === null ? "–" : chart.format(value)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
