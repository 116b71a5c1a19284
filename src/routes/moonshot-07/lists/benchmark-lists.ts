/** The lists of Moonshot's benchmarks, which Parley does not have. Its web UI reads them on pages with other things too. */
export const BENCHMARK_LISTS = [
  "/cookbooks",
  "/cookbooks/name",
  "/recipes",
  "/recipes/name",
  "/datasets",
  "/datasets/name",
  "/metrics",
  "/metrics/name",
  "/runners",
  "/runners/name",
  "/benchmarks/results",
  "/benchmarks/results/name",
] as const;
