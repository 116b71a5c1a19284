/** What came out of a run, by endpoint: small charts, a row for each. */
import type { ComponentChildren } from "preact";
import type { EndpointResult, Run } from "../../../client/types.ts";
import { useEndpointTitle } from "../../shared/endpoint-titles.tsx";
import { integer, money, seconds } from "../../shared/format.ts";
import { percent } from "../words.ts";
import { BarChart, RangeChart } from "./charts.tsx";

interface Chart {
  title: string;
  /** What the marks mean. */
  note?: string;
  /** The value in words; `null` if the endpoint has none. */
  textOf: (result: EndpointResult) => string | null;
  /** @param largest of all endpoints */
  drawing: (result: EndpointResult, largest: number) => ComponentChildren;
  sizeOf: (result: EndpointResult) => number;
}

export function Figures({ run }: { run: Run }) {
  const results = run.endpoints.flatMap((endpoint) => {
    const result = run.results[endpoint];
    return result ? [{ endpoint, result }] : [];
  });
  return (
    <section aria-label="Results by endpoint">
      <h2>Results</h2>
      <div class="run-charts">
        {chartsOf(run.repeat)
          .filter(({ textOf }) => results.some(({ result }) => textOf(result) !== null))
          .map((chart) => (
            <ChartOf key={chart.title} chart={chart} results={results} />
          ))}
      </div>
    </section>
  );
}

function ChartOf({ chart, results }: { chart: Chart; results: { endpoint: string; result: EndpointResult }[] }) {
  const titleOf = useEndpointTitle();
  const largest = Math.max(...results.map(({ result }) => chart.sizeOf(result)));
  return (
    <figure class="chart">
      <figcaption>
        {chart.title}
        {chart.note !== undefined && <span class="hint"> {chart.note}</span>}
      </figcaption>
      <ul>
        {results.map(({ endpoint, result }) => (
          <li key={endpoint}>
            <span class="chart-name" title={titleOf(endpoint)}>
              {titleOf(endpoint)}
            </span>
            {chart.drawing(result, largest)}
            <span class="chart-value">{chart.textOf(result) ?? "–"}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

const errorsOf = ({ errors }: EndpointResult): number => Object.values(errors).reduce((sum, count) => sum + count, 0);

const timeChart = (title: string, timesOf: (result: EndpointResult) => EndpointResult["duration_ms"]): Chart => ({
  title,
  note: "median, and up to the 95th percentile",
  textOf: (result) => {
    const times = timesOf(result);
    return times && `${seconds(times.p50)} – ${seconds(times.p95)}`;
  },
  sizeOf: (result) => timesOf(result)?.p95 ?? 0,
  drawing: (result, largest) => {
    const times = timesOf(result);
    const share = (time: number): number => (largest === 0 ? 0 : time / largest);
    return <RangeChart at={times && share(times.p50)} range={times && [share(times.p50), share(times.p95)]} />;
  },
});

const rateChart = (title: string, rateOf: (result: EndpointResult) => number | null | undefined): Chart => ({
  title,
  textOf: (result) => {
    const rate = rateOf(result) ?? null;
    return rate === null ? null : percent(rate);
  },
  sizeOf: () => 1,
  drawing: (result) => <BarChart share={rateOf(result) ?? 0} />,
});

const PASSED: Chart = {
  title: "Passed",
  note: "share, with its interval at 95 %",
  textOf: ({ mean, passed, judged }) =>
    mean === null ? null : `${percent(mean)} · ${integer(passed)} of ${integer(judged)}`,
  sizeOf: () => 1,
  drawing: ({ mean, interval }) => <RangeChart at={mean} range={interval} />,
};

const countChart = (title: string, countOf: (result: EndpointResult) => number | null, format = integer): Chart => ({
  title,
  textOf: (result) => {
    const count = countOf(result);
    return count === null || count === 0 ? null : format(count);
  },
  sizeOf: (result) => countOf(result) ?? 0,
  drawing: (result, largest) => <BarChart share={largest === 0 ? 0 : (countOf(result) ?? 0) / largest} />,
});

/** The most frequent error in words, and how many there are. */
const ERRORS: Chart = {
  title: "Failed answers",
  sizeOf: errorsOf,
  drawing: (result, largest) => <BarChart share={largest === 0 ? 0 : errorsOf(result) / largest} isBad />,
  textOf: (result) => {
    const [[code, count] = ["", 0]] = Object.entries(result.errors).toSorted(([, a], [, b]) => b - a);
    const others = errorsOf(result) - count;
    if (count === 0) return null;
    return `${integer(count)} ${code}${others > 0 ? `, ${integer(others)} others` : ""}`;
  },
};

function chartsOf(repeat: number): Chart[] {
  const rates =
    repeat === 1
      ? []
      : [
          rateChart(`At least one of ${repeat} passes`, ({ pass_at_k: byK }) => byK[repeat]),
          rateChart(`All of ${repeat} pass`, ({ pass_hat_k: byK }) => byK[repeat]),
        ];
  return [
    PASSED,
    ...rates,
    timeChart("Time of the whole answer", ({ duration_ms: times }) => times),
    timeChart("Time to the first token", ({ ttft_ms: times }) => times),
    countChart("Output tokens", ({ usage }) => usage.output_tokens),
    countChart("Cost", ({ cost }) => cost, money),
    ERRORS,
  ];
}
