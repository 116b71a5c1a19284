/** Says in a form that it holds what was written before and not saved, and what of it was not kept. */
import { useState } from "preact/hooks";
import type { Draft } from "./use-draft.ts";

/** Of the fields that may hold a secret. */
const NAMES: Record<string, string> = { token: "the token", uri: "the address", params: "the params" };

export function UnsavedNote<Fields>({ draft }: { draft: Draft<Fields> }) {
  const { isChanged, lost, discard } = draft;
  const isShown = isChanged || lost.length > 0;
  // Not while one writes: only when the form was opened with it.
  const [wasShown] = useState(isShown);
  if (!wasShown || !isShown) return null;
  return (
    <div class="note" role="status">
      <span>
        {isChanged && "This is what you wrote before. It is not saved yet."}{" "}
        {lost.length > 0 && `Not kept, as secrets are not: ${listOf(lost)}. Write that again.`}
      </span>
      <button type="button" class="quiet" onClick={discard}>
        Discard
      </button>
    </div>
  );
}

const listOf = (fields: string[]): string =>
  new Intl.ListFormat("en").format(fields.map((field) => NAMES[field] ?? field));
