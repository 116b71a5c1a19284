/**
 * `npm run bench -- --beside ../earlier`: appends, chats and prompts of this checkout and of another one, in alternation. Two runs of the bench, one of
 * each, differ by more than most changes do: the machine is not the same machine ten minutes later.
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Call, Subject } from "./comparison.ts";
import { compare, printComparison } from "./comparison.ts";
import { openSession } from "./fan-out.ts";
import type { Answer, HttpClient } from "./http-client.ts";
import { appendMessage, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type * as processes from "./processes.ts";
import { scratchDirectory } from "./processes.ts";
import type * as servers from "./servers.ts";
import { startUpstream } from "./upstream.ts";
import type { Server } from "./wrangler.ts";

const ENDPOINT = "beside";

/** The endpoints that a prompt goes to. */
const PROMPTED = Array.from({ length: 8 }, (_, nth) => `${ENDPOINT}-${nth}`);

/** Opens a session for one caller. @returns calls it */
type Open = () => Promise<Call>;

/** Opens a session of a chatbot for each caller. @returns calls it */
const inSession =
  (call: (client: HttpClient, session: string) => Promise<Answer>) =>
  async (client: HttpClient): Promise<Open> => {
    const createSession = await createSessionMaker(client, ENDPOINT);
    return async () => {
      const session = await createSession();
      return async () => (await call(client, session)).ms;
    };
  };

const append = inSession(appendMessage);

const chat = inSession(sendChat);

/** Prompts to a comparison of eight endpoints. */
const prompt =
  async (client: HttpClient): Promise<Open> =>
  () =>
    openSession(client, PROMPTED);

const LOADS = [
  { title: "Append, one caller at a time", prepare: append, rounds: 20, callers: 1, calls: 100 },
  { title: "Append, 64 callers with a session each", prepare: append, rounds: 10, callers: 64, calls: 20 },
  { title: "Chat, one caller, a model of 0 ms", prepare: chat, rounds: 20, callers: 1, calls: 20 },
  { title: "Chat, 16 callers, a model of 0 ms", prepare: chat, rounds: 10, callers: 16, calls: 12 },
  {
    title: "A prompt to eight endpoints, one caller, models of 0 ms",
    prepare: prompt,
    rounds: 20,
    callers: 1,
    calls: 5,
  },
];

/** @param folder of the other checkout, with its dependencies installed */
export async function beside(folder: string): Promise<void> {
  const other = await startParley(resolve(folder));
  const current = await startParley(join(import.meta.dirname, "../.."));
  const upstream = await startUpstream();
  for (const { origin } of [other, current]) await createEndpoints(parleyClient(origin), upstream.baseUri(0));
  for (const { title, prepare, ...load } of LOADS) {
    const subjectOf = async (server: Server): Promise<Subject> => {
      const open = await prepare(parleyClient(server.origin, load.callers));
      return { server, open };
    };
    const measured = await compare(load, { other: await subjectOf(other), current: await subjectOf(current) });
    printComparison(title, measured, "other", { other: folder, current: "this checkout" });
  }
  upstream.close();
  await Promise.all([other.stop(), current.stop()]);
}

async function createEndpoints(parley: HttpClient, uri: string): Promise<void> {
  for (const name of [ENDPOINT, ...PROMPTED]) await createEndpoint(parley, name, uri);
}

/** Builds and serves the Parley of a checkout, by its own bench: what that builds, and how, belongs to its commit. */
async function startParley(folder: string): Promise<Server> {
  const part = (name: string): Promise<unknown> => import(pathToFileURL(join(folder, "test/bench", name)).href);
  const { cleanUpAtExit } = (await part("processes.ts")) as typeof processes;
  const { build, serveParley } = (await part("servers.ts")) as typeof servers;
  cleanUpAtExit();
  const built = await build(scratchDirectory());
  return serveParley(built, built.parley.empty);
}
