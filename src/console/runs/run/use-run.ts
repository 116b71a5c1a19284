/** Loads a run, and keeps it as it is now: its progress as it comes, its figures from time to time. */
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Run } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { useLoaded } from "../../shared/use-loaded.ts";

/** How often the figures of a run are loaded while answers come. */
const FIGURES_MS = 2_000;

export interface FollowedRun {
  /** `null` until it is loaded. */
  run: Run | null;
  problem: unknown;
  /** Loads it again, and follows it if it goes on. */
  reload: () => void;
}

export function useRun(id: string): FollowedRun {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(() => api.runs.get(id), [api, id]);
  const [latest, setLatest] = useState<Pick<Run, "progress" | "eta_seconds"> | null>(null);
  const status = value?.status;
  const isFollowed = status === "running" || status === "paused";
  const follow = useCallback(
    async (signal: AbortSignal) => {
      let loadedAt = performance.now();
      for await (const event of api.runs.follow(id, { signal })) {
        if (event.type === "run-ended") break;
        setLatest({ progress: event.progress, eta_seconds: event.eta_seconds });
        if (performance.now() - loadedAt < FIGURES_MS) continue;
        loadedAt = performance.now();
        reload();
      }
      reload();
    },
    [api, id, reload],
  );
  useEffect(() => {
    if (!isFollowed) return;
    const left = new AbortController();
    // Without events the page shows the run as it was loaded.
    follow(left.signal).catch(() => undefined);
    return () => left.abort();
  }, [follow, isFollowed]);
  // What was loaded may be newer than the last event, or older.
  const isNewer = latest !== null && value !== null && isFollowed && latest.progress.done > value.progress.done;
  return { run: isNewer ? { ...value, ...latest } : value, problem, reload };
}
