/** Part `d1-delays`: appends and chats with a database that is far away, and how often each call goes there. */
import { compare, p50 } from "./comparison.ts";
import { HttpClient } from "./http-client.ts";
import { appendMessage, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import { buildWorker } from "./runtime.ts";
import type { Built } from "./servers.ts";
import { PARLEY_CONFIG, copyState, serveParley } from "./servers.ts";
import { median } from "./statistics.ts";
import { startUpstream } from "./upstream.ts";

/** Time of a round trip to D1: here, on the same continent, on another one. */
const DELAYS_MS = [0, 50, 230];

const LOAD = { rounds: 4, callers: 1, calls: 10 };

const CALLS = ["append", "chat", "GET a session", "list"] as const;

type Result = Record<(typeof CALLS)[number], { ms: number; roundTrips: number }>;

export async function d1Delays(built: Built, scratch: string): Promise<Finding[]> {
  const bundle = await buildWorker(PARLEY_CONFIG, `${scratch}/slow-d1`, {
    main: "test/bench/slow-d1/worker.ts",
  });
  const results: Result[] = [];
  for (const delayMs of DELAYS_MS)
    results.push(await measure({ ...built, parley: { ...built.parley, bundle } }, delayMs));
  const times = (call: keyof Result) => results.map((result) => result[call].ms);
  printTable("Parley, by the time of a round trip to D1", [
    ["", ...DELAYS_MS.map((ms) => `${ms} ms, p50 ms`), ...DELAYS_MS.map((ms) => `round trips, ${ms} ms`)],
    ...CALLS.map((call) => [
      call,
      ...times(call).map(inMs),
      ...results.map((result) => asRatio(result[call].roundTrips).replace("x", "")),
    ]),
  ]);
  return (["append", "chat"] as const).flatMap((call) =>
    DELAYS_MS.slice(1).map((delayMs, nth): Finding => {
      const [here = NaN, ...away] = times(call);
      const value = (away[nth] ?? NaN) / here;
      return { measure: `${call}, D1 ${delayMs} ms away`, value, unit: "x", target: { atMost: 1.1 } };
    }),
  );
}

async function measure(built: Built, delayMs: number): Promise<Result> {
  const state = copyState(built.parley.empty, `d1-delay-${delayMs}`);
  const server = await serveParley(built, state, { D1_DELAY_MS: `${delayMs}` });
  const upstream = await startUpstream();
  const parley = parleyClient(server.origin);
  const counter = new HttpClient(server.origin);
  const endpoint = await createEndpoint(parley, "far", upstream.baseUri(0));
  const createSession = await createSessionMaker(parley, endpoint);
  const roundTrips = async () =>
    (JSON.parse((await counter.get("/bench/round-trips")).text) as { roundTrips: number }).roundTrips;
  const calls: Record<keyof Result, (session: string) => Promise<{ ms: number }>> = {
    append: (session) => appendMessage(parley, session),
    chat: (session) => sendChat(parley, session),
    "GET a session": (session) => parley.get(`/sessions/${session}`),
    list: () => parley.get("/sessions"),
  };
  const result = {} as Result;
  for (const name of CALLS) {
    const session = await createSession();
    // Loads the session into its object.
    await calls.append(session);
    await roundTrips();
    const measured = await compare(LOAD, {
      parley: { server, open: async () => async () => (await calls[name](session)).ms },
    });
    const total = (LOAD.rounds + 1) * (LOAD.calls + 1) * LOAD.callers;
    result[name] = { ms: median(measured.parley.map(p50)), roundTrips: (await roundTrips()) / total };
  }
  counter.close();
  parley.close();
  upstream.close();
  await server.stop();
  return result;
}
