/** Says in a form that it holds what was written before and not saved. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Draft } from "./use-draft.ts";

interface NoteProps<Fields> {
  draft: Draft<Fields>;
  /** What was not kept. */
  children?: ComponentChildren;
}

export function UnsavedNote<Fields>({ draft, children }: NoteProps<Fields>) {
  // Not while one writes: only when the form was opened with it.
  const [wasChanged] = useState(draft.isChanged);
  if (!wasChanged || !draft.isChanged) return null;
  return (
    <div class="note" role="status">
      <span>This is what you wrote before. It is not saved yet. {children}</span>
      <button type="button" class="quiet" onClick={draft.discard}>
        Discard
      </button>
    </div>
  );
}
