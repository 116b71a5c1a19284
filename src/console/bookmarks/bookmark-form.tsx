/** Keeps an answer of a comparison under a name. */
import { useState } from "preact/hooks";
import type { Result, ResultProps } from "../compare/results/result.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { Problem } from "../shared/problem.tsx";

export function BookmarkForm({ id, result: { chatId, number }, columns }: ResultProps<Result & { kind: "bookmark" }>) {
  const { api } = useConsole();
  const [name, setName] = useState("");
  const [note, setNote] = useState("");
  const [problem, setProblem] = useState<unknown>(null);
  const [isKept, setIsKept] = useState(false);
  if (isKept) return <Kept name={name} />;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const record = { session_id: id, chat_id: chatId, chat_record_id: number };
    void api.bookmarks.create({ name, note: note || null, ...record }).then(() => setIsKept(true), setProblem);
  };
  return (
    <form class="fields" onSubmit={submit}>
      <p class="hint">
        A copy of the answer of {columns.find((column) => column.chatId === chatId)?.title}, with its prompt. It stays
        when the comparison is deleted.
      </p>
      <label class="field">
        <span>Name</span>
        <input required maxLength={100} value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
      </label>
      <label class="field">
        <span>Note</span>
        <textarea
          rows={2}
          maxLength={1000}
          placeholder="None"
          value={note}
          onInput={({ currentTarget }) => setNote(currentTarget.value)}
        />
      </label>
      <Problem problem={problem} />
      <button type="submit" class="primary">
        Keep
      </button>
    </form>
  );
}

const Kept = ({ name }: { name: string }) => (
  <p class="note" role="status">
    Kept as “{name}”. <a href={addressOf("bookmarks")}>All bookmarks</a>
  </p>
);
