/** Breaks D1 or an object on purpose, and looks at what has reached D1. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { isInLog, numberOf, seqOf, sessionNumberOf } from "../../src/store/message-keys.ts";

const objectOf = (id: string) => env.SESSIONS.getByName(id);

const statement = () => Object.getPrototypeOf(env.DB.prepare("select 1").bind()) as D1PreparedStatement;
const ASKING = ["all", "raw", "run", "first"] as const;

const session = () => Object.getPrototypeOf(env.DB.withSession("first-primary")) as D1DatabaseSession;

/** Every D1 query fails from now on, with one of D1's own messages. @returns repairs it */
export function breakD1(message = "Network connection lost."): () => void {
  const error = () => Promise.reject(new Error(`D1_ERROR: ${message}`));
  const spies = [
    vi.spyOn(env.DB, "batch").mockImplementation(error),
    vi.spyOn(session(), "batch").mockImplementation(error),
    ...ASKING.map((ask) => vi.spyOn(statement(), ask).mockImplementation(error)),
  ];
  return () => {
    for (const spy of spies) spy.mockRestore();
  };
}

/** No statement gets an answer from now on. Restore the mocks afterwards. */
export function hangD1(): void {
  for (const ask of ASKING) vi.spyOn(statement(), ask).mockImplementation(() => new Promise(() => undefined));
}

/** The next batch is written, but its answer is lost. */
export function loseNextD1Answer(): void {
  const batch = env.DB.batch.bind(env.DB);
  vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
    await batch(statements);
    throw new Error("D1_ERROR: Network connection lost.");
  });
}

/** The next writes are done, or not, and their answers are lost: batches and single statements. */
export function loseD1Answers(count: number, isDone: boolean): void {
  let left = count;
  for (const [owner, name] of [
    [env.DB, "batch"],
    [statement(), "run"],
  ] as const) {
    const write = Reflect.get(owner, name) as (...values: unknown[]) => Promise<unknown>;
    vi.spyOn(owner as unknown as Record<string, typeof write>, name).mockImplementation(async function (
      this: unknown,
      ...values
    ) {
      const isLost = left-- > 0;
      const answer = isDone || !isLost ? await write.apply(this, values) : undefined;
      if (isLost) throw new Error("D1_ERROR: Network connection lost.");
      return answer;
    });
  }
}

/** Each batch is written, but the answer of the first, the third and so on is lost. */
export function loseEveryOtherD1Answer(): void {
  const batch = env.DB.batch.bind(env.DB);
  let count = 0;
  vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
    const results = await batch(statements);
    if (++count % 2 === 1) throw new Error("D1_ERROR: Network connection lost.");
    return results;
  });
}

/** D1 rejects each message with this content, and accepts all others. */
export const rejectInD1 = (content: string): Promise<unknown> =>
  env.DB.prepare(
    `create trigger poison_${content} before insert on messages when new.content = '${content}' begin select raise(abort, 'poisoned'); end`,
  ).run();

/** Aborts the object as a crash would. */
export const crash = (id: string): Promise<void> =>
  runInDurableObject(objectOf(id), (_, state) => state.abort("crash")).catch(() => undefined);

/** Runs alarms until none is set. @param most the limit @returns how many ran */
export async function runAlarms(id: string, most = 10): Promise<number> {
  for (let count = 0; count < most; count++) if (!(await runDurableObjectAlarm(objectOf(id)))) return count;
  return most;
}

const REPLICATED = `SELECT ${seqOf("key")} AS seq, content FROM messages WHERE ${isInLog("key", numberOf("?1"))} ORDER BY key`;

const WITHOUT_SESSION = `SELECT count(*) AS messages FROM messages WHERE ${sessionNumberOf("key")} NOT IN (SELECT number FROM sessions)`;

/** The messages that have reached D1. @throws if D1 has messages without a session: nothing would ever delete them */
export async function replicatedMessages(id: string): Promise<{ seq: number; content: string }[]> {
  const left = await env.DB.prepare(WITHOUT_SESSION).first<number>("messages");
  if (left !== 0) throw new Error(`D1 has ${left} messages without a session`);
  const { results } = await env.DB.prepare(REPLICATED).bind(id).all<{ seq: number; content: string }>();
  return results;
}

export const replicatedContents = async (id: string): Promise<string[]> =>
  (await replicatedMessages(id)).map(({ content }) => content);

/** The rows that D1 writes in batches while something runs. */
export async function countWrites(run: () => Promise<unknown>): Promise<number> {
  const batch = env.DB.batch.bind(env.DB);
  let count = 0;
  const spy = vi.spyOn(env.DB, "batch").mockImplementation(async <T>(statements: D1PreparedStatement[]) => {
    const results = await batch<T>(statements);
    for (const { meta } of results) count += meta.rows_written;
    return results;
  });
  await run();
  spy.mockRestore();
  return count;
}
