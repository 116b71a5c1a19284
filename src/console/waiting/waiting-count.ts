/**
 * How many wait for a person, for the line above every page and the title of the tab. Lists have no events, so it is asked for
 * again and again: one short call every ten seconds for each open tab.
 */
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../context.ts";
import { readKept } from "../shared/storage.ts";

export const POLL_MS = 10_000;

/** Whether the bell is on. */
export const BELL_KEPT_AS = "bell";

/** @returns 0 for a client, who knows nothing of others, and until it is known */
export function useWaitingCount(): number {
  const { api, me } = useConsole();
  const [count, setCount] = useState(0);
  const isClient = me.role === "client";
  useEffect(() => {
    if (isClient) return;
    let isCurrent = true;
    let before: number | null = null;
    const ask = async () => {
      // One that fails is followed by another.
      const page = await api.sessions.list({ handler: "waiting", limit: 1 }, { retries: 0 }).catch(() => null);
      if (!page || !isCurrent) return;
      const { total } = page.paginatorInfo;
      if (before !== null && total > before && readKept<boolean>(BELL_KEPT_AS, false)) void ring(total);
      before = total;
      setCount(total);
    };
    void ask();
    const timer = setInterval(() => void ask(), POLL_MS);
    return () => {
      isCurrent = false;
      clearInterval(timer);
    };
  }, [api, isClient]);
  useTitle(count);
  return count;
}

async function ring(count: number): Promise<void> {
  (await import("./bell.ts")).ringBell(count);
}

/** The title of the tab begins with the count. */
function useTitle(count: number): void {
  useEffect(() => {
    const title = document.title;
    if (count > 0) document.title = `(${count}) ${title}`;
    return () => {
      document.title = title;
    };
  }, [count]);
}
