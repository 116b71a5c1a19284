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

/** Something in a document that is not taken. */
export class NotTaken extends Error {
  readonly path: Path;

  constructor(path: Path, message: string) {
    super(message);
    this.path = path;
  }
}

export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
