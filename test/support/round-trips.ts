/** Limits the round trips to D1, which stays the real one: what goes beyond the limit waits until the limit is lifted. */
import { env } from "cloudflare:workers";
import { vi } from "vitest";

/** How long an answer may take that nothing holds up, in milliseconds. Reached only by a test that fails. */
const PATIENCE_MS = 20_000;

const session = Object.getPrototypeOf(env.DB.withSession("first-primary")) as D1DatabaseSession;
const statement = Object.getPrototypeOf(env.DB.prepare("select 1").bind()) as D1PreparedStatement;

type Ask = (this: unknown, ...given: unknown[]) => Promise<unknown>;

/** Everything by which the Worker and its objects ask D1: a batch of the binding goes through one of a session. */
const ASKING = [
  [session, "batch"],
  ...(["all", "raw", "run", "first"] as const).map((name) => [statement, name] as const),
] as const;

/**
 * Waits for an answer, while D1 answers so many round trips one after another and then none. Those that begin before the
 * first of them has ended count as one, because nobody waits for one to send the other.
 *
 * @returns the answer, how many round trips it has waited for, and the SQL of those that were still waiting
 * @throws when the answer needs more
 */
export async function withinRoundTrips<T>(
  limit: number,
  act: () => Promise<T>,
): Promise<{ answer: T; made: number; held: string[] }> {
  let [made, isLifted] = [0, false];
  const held: string[] = [];
  const spies = ASKING.map(([owner, name]) => {
    const ask = Reflect.get(owner, name) as Ask;
    const limited: Ask = async function (...given) {
      const nth = made + 1;
      if (nth > limit) held.push(textOf(this, given));
      // Each waits in its own invocation, as the runtime asks.
      while (nth > limit && !isLifted) await scheduler.wait(5);
      try {
        return await ask.apply(this, given);
      } finally {
        made = Math.max(made, isLifted ? made : nth);
      }
    };
    return vi
      .spyOn(owner as D1DatabaseSession, name as "batch")
      .mockImplementation(limited as D1DatabaseSession["batch"]);
  });
  try {
    const late = scheduler
      .wait(PATIENCE_MS)
      .then(() => Promise.reject(new Error(`No answer without: ${held.join("\n")}`)));
    const answer = await Promise.race([act(), late]);
    return { answer, made, held: [...held] };
  } finally {
    isLifted = true;
    for (const spy of spies) spy.mockRestore();
  }
}

/** The SQL of a statement, or of each statement of a batch. */
const textOf = (asked: unknown, given: unknown[]): string =>
  (Array.isArray(given[0]) ? given[0] : [asked])
    .map((each: unknown) => String(Reflect.get(each as object, "statement")))
    .join("; ");
