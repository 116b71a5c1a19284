/**
 * Talks to the inspector of a built server: one target for each isolate. https://chromedevtools.github.io/devtools-protocol
 */
import { setTimeout as sleep } from "node:timers/promises";

export interface Inspector {
  call: <T>(method: string, params?: object) => Promise<T>;
  close: () => void;
}

/** @param url the address of an isolate, as `inspector` of a built server is that of the Worker's */
export async function openInspector(url: string): Promise<Inspector> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  let id = 0;
  const call = <T>(method: string, params: object = {}): Promise<T> => {
    const sent = ++id;
    socket.send(JSON.stringify({ id: sent, method, params }));
    return new Promise((resolve) => {
      const onMessage = ({ data }: { data: unknown }) => {
        const answer = JSON.parse(String(data)) as { id?: number; result: T };
        if (answer.id !== sent) return;
        socket.removeEventListener("message", onMessage);
        resolve(answer.result);
      };
      socket.addEventListener("message", onMessage);
    });
  };
  return { call, close: () => socket.close() };
}

/** How often an isolate is woken while it is to collect, in milliseconds. */
const WAKE_MS = 20;

/**
 * @param url `inspector` of a built server
 * @param prefix how the names of the isolates begin: `core:user:` of the Worker's, `d1:` of those of its databases
 */
export async function openIsolates(url: string, prefix: string): Promise<Inspector[]> {
  const { host } = new URL(url);
  const answer = await fetch(`http://${host}/json`);
  const isolates = await answer.json<{ id: string }[]>();
  const found = isolates.filter(({ id }) => id.startsWith(prefix));
  if (found.length === 0) throw new Error(`No isolate is named ${prefix}…`);
  return Promise.all(found.map(({ id }) => openInspector(`ws://${host}/${id}`)));
}

/** @returns the memory that the engine holds for their heaps, garbage included, in MB */
export async function heapMb(isolates: Inspector[]): Promise<number> {
  const heaps = await Promise.all(isolates.map(({ call }) => call<{ totalSize: number }>("Runtime.getHeapUsage")));
  return heaps.reduce((sum, { totalSize }) => sum + totalSize / 1024 / 1024, 0);
}

/**
 * Collects the garbage of isolates.
 *
 * @param wake has all of them work: an isolate collects only when it next runs
 */
export async function collectGarbage(isolates: Inspector[], wake: () => Promise<unknown>): Promise<void> {
  const collected = new AbortController();
  const collect = Promise.all(isolates.map(({ call }) => call("HeapProfiler.collectGarbage"))).finally(() =>
    collected.abort(),
  );
  while (!collected.signal.aborted) {
    await wake();
    await sleep(WAKE_MS);
  }
  await collect;
}
