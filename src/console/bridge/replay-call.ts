/**
 * The call that puts the turns of a chat. The tab remembers it until it has ended, so that a reload makes it again: the server
 * then joins the replay that runs, or goes on where it stopped.
 */
import { useCallback, useEffect, useState } from "preact/hooks";
import { useConsole } from "../context.ts";

const keptAs = (id: string): string => `parley.replay.${id}`;

/** Leaves the call to the page of the comparison. */
export const leaveReplay = (id: string): void => sessionStorage.setItem(keptAs(id), "1");

export interface ReplayCall {
  isRunning: boolean;
  problem: unknown;
  start: () => void;
  cancel: () => void;
}

export function useReplayCall(id: string): ReplayCall {
  const { api } = useConsole();
  const [isRunning, setIsRunning] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const start = useCallback(() => {
    leaveReplay(id);
    setIsRunning(true);
    setProblem(null);
    void api.comparisons
      .replay(id)
      .catch(setProblem)
      .finally(() => {
        sessionStorage.removeItem(keptAs(id));
        setIsRunning(false);
      });
  }, [api, id]);
  useEffect(() => {
    if (sessionStorage.getItem(keptAs(id)) !== null) start();
  }, [start]);
  const cancel = useCallback(() => void api.comparisons.cancel(id).catch(setProblem), [api, id]);
  return { isRunning, problem, start, cancel };
}
