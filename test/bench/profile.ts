/**
 * `npm run bench -- --profile chat.cpuprofile [--of chat]`: profiles one kind of call in the Worker and its objects, and prints
 * where the time goes. The file opens in Chrome's DevTools and in VS Code. Names need a bundle that is not minified, so this
 * builds one.
 *
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { STREAMED, WHOLE } from "./doors.ts";
import type { OpenDoor } from "./doors.ts";
import { openSession } from "./fan-out.ts";
import type { HttpClient } from "./http-client.ts";
import { openInspector } from "./inspector.ts";
import { appendMessage, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import { printTable } from "./report.ts";
import { buildWorker } from "./runtime.ts";
import { PARLEY_CONFIG, build, serveParley } from "./servers.ts";
import { startUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

/** Makes one call. */
type Call = () => Promise<unknown>;

interface Subject {
  callers: number;
  /** Calls of each caller: those that warm up, and those that are profiled. */
  warmUp: number;
  calls: number;
  /** Prepares the callers. @returns what each of them calls */
  open: (parley: HttpClient, upstream: Upstream) => Promise<() => Promise<Call>>;
}

/** Creates a chatbot of a model of 0 ms. @returns creates a session with it */
const sessionMaker = async (parley: HttpClient, upstream: Upstream) =>
  createSessionMaker(parley, await createEndpoint(parley, "profiled", upstream.baseUri(0)));

/** Turns by one door. */
const throughDoor = (door: OpenDoor): Subject => ({
  callers: 16,
  warmUp: 20,
  calls: 40,
  async open(parley, upstream) {
    const createSession = await sessionMaker(parley, upstream);
    return async () => door(parley, `chatbot:${createSession.chatbotId}`, await createSession());
  },
});

const MESSAGES = 1_000;
const ENDPOINTS = 64;

const SUBJECTS: Record<string, Subject> = {
  /** Chats with a model of 0 ms. */
  chat: {
    callers: 16,
    warmUp: 40,
    calls: 100,
    async open(parley, upstream) {
      const createSession = await sessionMaker(parley, upstream);
      return async () => {
        const session = await createSession();
        return () => sendChat(parley, session);
      };
    },
  },
  /** Messages that are appended, without the log in the answer. */
  append: {
    callers: 1,
    warmUp: 500,
    calls: 2_000,
    async open(parley, upstream) {
      const createSession = await sessionMaker(parley, upstream);
      return async () => {
        const session = await createSession();
        return () => appendMessage(parley, session);
      };
    },
  },
  "chat-streamed": throughDoor(STREAMED["/sessions/chat, streamed"]),
  completions: throughDoor(WHOLE["chat completions in a session"]),
  responses: throughDoor(WHOLE.responses),
  "completions-streamed": throughDoor(STREAMED["chat completions in a session, streamed"]),
  "responses-streamed": throughDoor(STREAMED["responses, streamed"]),
  "ui-chat": throughDoor(STREAMED["/ui/chat"]),
  /** A session of 1,000 messages. */
  reads: {
    callers: 1,
    warmUp: 300,
    calls: 500,
    async open(parley, upstream) {
      const createSession = await sessionMaker(parley, upstream);
      return async () => {
        const session = await createSession();
        for (let nth = 0; nth < MESSAGES; nth++) await appendMessage(parley, session);
        return () => parley.get(`/sessions/${session}`);
      };
    },
  },
  /** Prompts to 64 endpoints of 200 ms. */
  "fan-out": {
    callers: 1,
    warmUp: 15,
    calls: 30,
    async open(parley, upstream) {
      const endpoints: string[] = [];
      for (let nth = 1; nth <= ENDPOINTS; nth++)
        endpoints.push(await createEndpoint(parley, `profiled-${nth}`, upstream.baseUri(200)));
      return async () => {
        let calls = 0;
        let call = await openSession(parley, endpoints);
        // Few prompts to a session, so that its history stays short.
        return async () => {
          calls += 1;
          if (calls % 4 === 0) call = await openSession(parley, endpoints);
          return call();
        };
      };
    },
  },
};

/** Microseconds between two samples. */
const INTERVAL_US = 200;

/** After a longer pause, in microseconds, nothing ran: the profiler takes no samples while a Worker waits. */
const LONGEST_PAUSE_US = 10 * INTERVAL_US;

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

/** @param kind which calls: a name of {@link SUBJECTS} */
export async function profileCalls(scratch: string, file: string, kind: string): Promise<void> {
  const subject = SUBJECTS[kind];
  if (!subject) throw new Error(`No such calls: ${kind}. There are ${Object.keys(SUBJECTS).join(", ")}`);
  const { callers, warmUp, calls, open } = subject;
  const built = await build(scratch);
  const bundle = await buildWorker(PARLEY_CONFIG, join(scratch, "profiled"), { minify: false });
  const server = await serveParley({ ...built, parley: { ...built.parley, bundle } }, built.parley.empty);
  const upstream = await startUpstream();
  const parley = parleyClient(server.origin, callers);
  const openCaller = await open(parley, upstream);
  const opened = await Promise.all(Array.from({ length: callers }, openCaller));
  const makeCalls = (count: number) =>
    Promise.all(
      opened.map(async (call) => {
        for (let nth = 0; nth < count; nth++) await call();
      }),
    );
  await makeCalls(warmUp);
  const stop = await startProfile(server.inspector);
  await makeCalls(calls);
  const profiled = await stop();
  writeFileSync(file, JSON.stringify(profiled));
  printSelfTimes(profiled, callers * calls, kind);
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

function printSelfTimes({ nodes, samples, timeDeltas }: Profile, calls: number, kind: string): void {
  const names = new Map(
    nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName || "(anonymous)"}:${callFrame.lineNumber}`]),
  );
  const selfUs = new Map<string, number>();
  for (const [at, node] of samples.entries()) {
    const name = names.get(node) ?? "";
    // A delta is the time before its sample. https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile
    const us = timeDeltas[at + 1] ?? 0;
    selfUs.set(name, (selfUs.get(name) ?? 0) + (us > LONGEST_PAUSE_US ? INTERVAL_US : us));
  }
  const rows = [...selfUs].toSorted(([, one], [, other]) => other - one).slice(0, ROWS);
  printTable(`Time of each function itself, of ${calls} calls (${kind})`, [
    ["function:line of the bundle", "ms a call"],
    ...rows.map(([name, us]) => [name, (us / 1000 / calls).toFixed(3)]),
  ]);
}
