/** Part `append`: what one message costs when a single caller sends one after the other. */
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, WITHOUT_LOG, createEndpoint, createSessionMaker, messagePath, parleyClient } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Servers } from "./servers.ts";
import type { Rounds } from "./statistics.ts";
import { interleave, quantile, ratioOfMedians, typical } from "./statistics.ts";

const ROUNDS = 10;
const SESSIONS_A_ROUND = 3;

/** Each session is measured while it grows from 10 to 30 messages, which is 20 on average. */
const MESSAGES_BEFORE = 10;
const MESSAGES_MEASURED = 20;

const MESSAGE = { role: "user", content: MESSAGE_TEXT };

type Subject = "empty" | "bare" | "minimal" | "whole";

export async function append({ parley, bare, upstream }: Servers): Promise<Finding[]> {
  const toBare = new HttpClient(bare.origin);
  const toParley = parleyClient(parley.origin);
  const createSession = await createSessionMaker(
    toParley,
    await createEndpoint(toParley, "append", upstream.baseUri(0)),
  );
  const parleyAppend = (headers: Record<string, string>) => async () => {
    const path = messagePath(await createSession());
    return () => toParley.post(path, { message: MESSAGE }, headers);
  };
  const bareAppend = () => {
    const path = `/append?conversation=${crypto.randomUUID()}`;
    return Promise.resolve(() => toBare.post(path, MESSAGE));
  };
  const empty = () => Promise.resolve(() => toBare.post("/", MESSAGE));
  const measured = await interleave(ROUNDS, {
    empty: () => measureAppends(empty),
    bare: () => measureAppends(bareAppend),
    minimal: () => measureAppends(parleyAppend(WITHOUT_LOG)),
    whole: () => measureAppends(parleyAppend({})),
  });
  toBare.close();
  toParley.close();
  return report(measured);
}

/** @param openSession creates a session, and returns an append to it @returns the times of the measured appends */
async function measureAppends(openSession: () => Promise<() => Promise<{ ms: number }>>): Promise<number[]> {
  const timesMs: number[] = [];
  for (let session = 0; session < SESSIONS_A_ROUND; session++) {
    const appendOne = await openSession();
    for (let message = 0; message < MESSAGES_BEFORE; message++) await appendOne();
    for (let message = 0; message < MESSAGES_MEASURED; message++) timesMs.push((await appendOne()).ms);
  }
  return timesMs;
}

function report({ empty, bare, minimal, whole }: Rounds<Subject, number[]>): Finding[] {
  const row = (name: string, rounds: number[][]) => [
    name,
    inMs(typical(rounds)),
    inMs(quantile(rounds.flat(), 0.99)),
    asRatio(ratioOfMedians(rounds, bare)),
  ];
  printTable("Append, one caller at a time, sessions of about 20 messages", [
    ["", "p50 ms", "p99 ms", "to bare"],
    row("an empty answer: the overhead of wrangler", empty),
    row("bare Worker", bare),
    row("Parley, Prefer: return=minimal (as the bare Worker, no log in the answer)", minimal),
    row("Parley, the whole session in the answer", whole),
  ]);
  return [{ measure: "append, one caller", value: ratioOfMedians(minimal, bare), unit: "x", target: { atMost: 1.3 } }];
}
