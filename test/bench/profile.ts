/**
 * `npm run bench -- --profile chat.cpuprofile`: profiles chats of 16 callers to a model of 0 ms, in the Worker and its objects, and
 * prints where the time goes. The file opens in Chrome's DevTools and in VS Code. Names need a bundle that is not minified, so this
 * builds one.
 *
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openInspector } from "./inspector.ts";
import { MESSAGE_TEXT, chatPath, createEndpoint, createSessionMaker, parleyClient } from "./parley.ts";
import { printTable } from "./report.ts";
import { buildWorker } from "./runtime.ts";
import { PARLEY_CONFIG, build, serveParley } from "./servers.ts";
import { startUpstream } from "./upstream.ts";

const CALLERS = 16;
const WARM_UP_CHATS = 40;
const CHATS = 100;

/** Microseconds between two samples. */
const INTERVAL_US = 200;

const ROWS = 40;

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
}

interface Profile {
  nodes: ProfileNode[];
  samples: number[];
  timeDeltas: number[];
}

export async function profileChats(scratch: string, file: string): Promise<void> {
  const built = await build(scratch);
  const bundle = await buildWorker(PARLEY_CONFIG, join(scratch, "profiled"), { minify: false });
  const server = await serveParley({ ...built, parley: { ...built.parley, bundle } }, built.parley.empty);
  const upstream = await startUpstream();
  const parley = parleyClient(server.origin, CALLERS);
  const createSession = await createSessionMaker(parley, await createEndpoint(parley, "profiled", upstream.baseUri(0)));
  const chats = async (count: number) => {
    const caller = async () => {
      const path = chatPath(await createSession());
      for (let nth = 0; nth < count; nth++) await parley.post(path, { content: MESSAGE_TEXT });
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
  };
  await chats(WARM_UP_CHATS);
  const stop = await startProfile(server.inspector);
  await chats(CHATS);
  const profile = await stop();
  writeFileSync(file, JSON.stringify(profile));
  printSelfTimes(profile, CALLERS * CHATS);
  parley.close();
  upstream.close();
  await server.stop();
}

/** @returns stops the profiler */
async function startProfile(inspector: string): Promise<() => Promise<Profile>> {
  const { call, close } = await openInspector(inspector);
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  await call("Profiler.start");
  return async () => {
    const { profile } = await call<{ profile: Profile }>("Profiler.stop");
    close();
    return profile;
  };
}

function printSelfTimes({ nodes, samples, timeDeltas }: Profile, calls: number): void {
  const names = new Map(
    nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName || "(anonymous)"}:${callFrame.lineNumber}`]),
  );
  const selfUs = new Map<string, number>();
  for (const [at, node] of samples.entries()) {
    const name = names.get(node) ?? "";
    selfUs.set(name, (selfUs.get(name) ?? 0) + (timeDeltas[at] ?? 0));
  }
  const rows = [...selfUs].toSorted(([, one], [, other]) => other - one).slice(0, ROWS);
  printTable(`Time of each function itself, of ${calls} chats`, [
    ["function:line of the bundle", "ms a chat"],
    ...rows.map(([name, us]) => [name, (us / 1000 / calls).toFixed(3)]),
  ]);
}
