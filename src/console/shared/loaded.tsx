/** Shows what has to be loaded first, and until then that it is being loaded, or why it could not be. */
import type { ComponentChildren } from "preact";
import { Problem } from "./problem.tsx";
import { useLoaded } from "./use-loaded.ts";

interface LoadedProps<T> {
  load: () => Promise<T>;
  children: (value: T) => ComponentChildren;
}

/** Loads once: another thing to load is another element, with another key. */
export function Loaded<T>({ load, children }: LoadedProps<T>) {
  const { value, problem, reload } = useLoaded(async () => ({ loaded: await load() }), []);
  if (problem !== null) return <Problem problem={problem} onRetry={reload} />;
  return value ? <>{children(value.loaded)}</> : <p class="hint">Loading …</p>;
}
