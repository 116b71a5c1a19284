/** What the readers of a data set share: the items that they find, and what they do not take. No effects. */
import type { RunFields } from "../../client/index.ts";

export type Item = RunFields["items"][number];

/** Where something stands in a document. */
export type Path = readonly (string | number)[];

/** An item, and where it comes from. */
export interface FoundItem {
  item: Item;
  path: Path;
}

export interface FoundItems {
  found: FoundItem[];
  remarks: string[];
}

interface Problem {
  path: Path;
  message: string;
}

/** What is not taken in a document. */
export class NotTaken extends Error {
  readonly problems: readonly Problem[];

  constructor(path: Path, message: string, others: readonly Problem[] = []) {
    super(message);
    this.problems = [{ path, message }, ...others];
  }
}

/** As `map`, to the end of the values: what is not taken of any of them is thrown at once. @throws {@link NotTaken} */
export function mapAll<Value, Result>(
  values: readonly Value[],
  toResult: (value: Value, index: number) => Result,
): Result[] {
  const problems: Problem[] = [];
  const results = values.flatMap((value, index) => {
    try {
      return [toResult(value, index)];
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  const [first, ...others] = problems;
  if (first) throw new NotTaken(first.path, first.message, others);
  return results;
}

/** Runs all steps, as {@link mapAll}. */
export const checkAll = (...steps: (() => unknown)[]): unknown[] => mapAll(steps, (step) => step());

export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
