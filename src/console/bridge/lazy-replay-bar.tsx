/** Loads the bar for comparisons that were made from a chat. */
import type { Comparison } from "../compare/comparison.ts";
import { useLoaded } from "../shared/use-loaded.ts";

export function LazyReplayBar({ comparison }: { comparison: Comparison }) {
  const { value } = useLoaded(async () => ({ Bar: (await import("./replay-bar.tsx")).ReplayBar }), []);
  const { session } = comparison;
  const from = session?.from_session;
  return value && session && from !== undefined ? (
    <value.Bar session={{ ...session, from_session: from }} comparison={comparison} />
  ) : null;
}
