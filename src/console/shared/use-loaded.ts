/** Loads something for a component, and loads it again on demand. */
import { useCallback, useEffect, useState } from "preact/hooks";

export interface Loaded<T> {
  value: T | null;
  problem: unknown;
  reload: () => void;
}

/** @param load is called again when one of `inputs` changes */
export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; problem: unknown }>({ value: null, problem: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    load().then(
      (value) => isCurrent && setState({ value, problem: null }),
      (problem: unknown) => isCurrent && setState((before) => ({ ...before, problem })),
    );
    return () => {
      isCurrent = false;
    };
  }, [...inputs, round]);
  return { ...state, reload: useCallback(() => setRound((before) => before + 1), []) };
}
