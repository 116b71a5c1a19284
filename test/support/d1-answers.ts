/** Looks at what D1 answers: how often it is asked, and how much it sends at once. */
import { env } from "cloudflare:workers";
import { vi } from "vitest";

/**
 * @param onAnswer gets how many answers there were
 * @returns the characters of each answer of D1 from now on, as JSON. A batch is one answer. Restore the mocks afterwards
 */
export function recordD1Answers(onAnswer: (count: number) => void = () => undefined): number[] {
  const sizes: number[] = [];
  const record = <T>(answer: T): T => {
    onAnswer(sizes.push(JSON.stringify(answer).length));
    return answer;
  };
  const statement = Object.getPrototypeOf(env.DB.prepare("select 1").bind()) as Record<string, Ask>;
  const session = Object.getPrototypeOf(env.DB.withSession("first-primary")) as Record<string, Ask>;
  for (const [owner, name] of [
    [statement, "all"],
    [statement, "raw"],
    [session, "batch"],
  ] as const) {
    const ask = owner[name] as Ask;
    vi.spyOn(owner, name).mockImplementation(async function (this: unknown, ...values) {
      return record(await ask.apply(this, values));
    });
  }
  return sizes;
}

type Ask = (...values: unknown[]) => Promise<unknown>;
