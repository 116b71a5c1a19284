/** What can be done with an answer that is complete. */
import { addressOf } from "../../router.ts";
import type { Reply } from "../../shared/replies/reply.ts";
import type { Column } from "../columns.ts";
import type { Adoptable, Result } from "../results/result.ts";

interface ToolsProps {
  column: Column;
  reply: Reply;
  /** Of the turn, from 1. */
  number: number;
  /** `null` if there is no chat to adopt it in. */
  adoptable: Adoptable | null;
  onResult: (result: Result) => void;
}

export function AnswerTools({ column, reply, number, adoptable, onResult }: ToolsProps) {
  const { chatId, title } = column;
  const canAdopt = adoptable && !column.isRecorded && reply.state !== "error" && reply.text !== "";
  const adopted = canAdopt ? adoptable.adopted.get(chatId) : undefined;
  return (
    <>
      {canAdopt && adopted !== undefined && (
        <a
          class="button quiet small"
          href={addressOf("chats", adoptable.from, adopted)}
          aria-label={`Adopted, the answer of ${title}, in the chat`}
        >
          Adopted
        </a>
      )}
      {canAdopt && adopted === undefined && (
        <Tool name="Adopt" title={title} onUse={() => onResult({ kind: "adopt", chatId, number, ...adoptable })} />
      )}
      <Tool name="Bookmark" title={title} onUse={() => onResult({ kind: "bookmark", chatId, number })} />
      {!column.isRecorded && (
        <Tool name="Receipt" title={title} onUse={() => onResult({ kind: "receipt", chatId, number })} />
      )}
    </>
  );
}

const Tool = ({ name, title, onUse }: { name: string; title: string; onUse: () => void }) => (
  <button
    type="button"
    class="quiet small"
    aria-label={`${name} ${name === "Receipt" ? "of" : "the answer of"} ${title}`}
    onClick={onUse}
  >
    {name}
  </button>
);
