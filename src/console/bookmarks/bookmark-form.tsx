/** Keeps an answer of a comparison under a name. */
import { useState } from "preact/hooks";
import type { Result, ResultProps } from "../compare/results/result.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { TextField } from "../shared/form/fields.tsx";
import { SaveForm } from "../shared/form/save-form.tsx";
import { UnsavedNote } from "../shared/form/unsaved-note.tsx";
import { useDraft } from "../shared/form/use-draft.ts";

export function BookmarkForm({ id, result: { chatId, number }, columns }: ResultProps<Result & { kind: "bookmark" }>) {
  const { api } = useConsole();
  const draft = useDraft(`bookmark.${id}.${number}.${chatId}`, { name: "", note: "" });
  const [keptAs, setKeptAs] = useState<string | null>(null);
  if (keptAs !== null) return <Kept name={keptAs} />;
  const { fields, set } = draft;
  const save = async () => {
    const record = { session_id: id, chat_id: chatId, chat_record_id: number };
    await api.bookmarks.create({ name: fields.name, note: fields.note || null, ...record });
    draft.discard();
    setKeptAs(fields.name);
  };
  return (
    <SaveForm actions={["Keep"]} onSave={save}>
      <UnsavedNote draft={draft} />
      <p class="hint">
        A copy of the answer of {columns.find((column) => column.chatId === chatId)?.title}, with its prompt. It stays
        when the comparison is deleted.
      </p>
      <TextField name="name" label="Name" required maxLength={100} value={fields.name} onInput={set("name")} />
      <TextField
        name="note"
        label="Note"
        rows={2}
        maxLength={1000}
        placeholder="None"
        value={fields.note}
        onInput={set("note")}
      />
    </SaveForm>
  );
}

const Kept = ({ name }: { name: string }) => (
  <p class="note" role="status">
    Kept as “{name}”. <a href={addressOf("bookmarks")}>All bookmarks</a>
  </p>
);
