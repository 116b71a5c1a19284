/** One message: its text, who wrote it, and what is known of the reply. */
import { useState } from "preact/hooks";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { useEndpointTitle } from "../shared/endpoint-titles.tsx";
import { shortTime } from "../shared/format.ts";
import { FiguresLine, STATE_TEXT } from "../shared/replies/figures.tsx";
import { FormattedText } from "../shared/replies/formatted-text.tsx";
import type { ChatMessage } from "./conversation.ts";
import type { ItemProps } from "./item-props.ts";
import { LeftOut } from "./left-out.tsx";
import { Actions } from "./message-actions.tsx";
import { Comment } from "./rating.tsx";
import { TextForm } from "./text-form.tsx";

const WRITERS = { user: "Client", assistant: "Chatbot", system: "System" } as const;

function writerOf({ role, author }: ChatMessage, titleOf: (endpoint: string) => string): string {
  if (!author) return WRITERS[role];
  if (author.kind === "human") return author.name;
  return author.endpoint === null ? "Adopted answer" : `Adopted answer of ${titleOf(author.endpoint)}`;
}

export function MessageItem(props: ItemProps) {
  const { message } = props;
  const { role, content, status, error, figures, sentAt } = message;
  const [isEditing, setIsEditing] = useState(false);
  const [isCommenting, setIsCommenting] = useState(false);
  const writer = writerOf(message, useEndpointTitle());
  return (
    <article aria-label={`${writer}, ${shortTime(sentAt)}`}>
      <p class="message-writer">
        <strong>{writer}</strong> {shortTime(sentAt)} <ComparisonLink message={message} />
      </p>
      {isEditing ? (
        <EditForm {...props} onDone={() => setIsEditing(false)} />
      ) : (
        content !== "" &&
        (role === "assistant" ? <FormattedText text={content} /> : <p class="text message-plain">{content}</p>)
      )}
      {status === "error" && <p class="failure">{error ?? "The endpoint gave no answer."}</p>}
      <LeftOut {...props} />
      <footer class="answer-foot">
        {status && status !== "ok" && <span class={`state state-${status}`}>{STATE_TEXT[status]}</span>}
        {figures && <FiguresLine figures={figures} prices={null} />}
        <Actions {...props} onEdit={() => setIsEditing(true)} onComment={() => setIsCommenting(true)} />
      </footer>
      <Comment {...props} isChanging={isCommenting} onDone={() => setIsCommenting(false)} />
    </article>
  );
}

/** Where an adopted answer is from. An operator has no comparisons. */
function ComparisonLink({ message: { author } }: { message: ChatMessage }) {
  const { me } = useConsole();
  if (author?.kind !== "adopted" || author.sessionId === null || me.role === "operator") return null;
  return <a href={addressOf("compare", author.sessionId)}>Comparison</a>;
}

function EditForm({ id, message: { seq, content }, onDone }: ItemProps & { onDone: () => void }) {
  const { api } = useConsole();
  return (
    <TextForm
      draftName={`edit.${id}.${seq}`}
      name="content"
      label="Message"
      saved={content}
      required
      action="Send"
      onSave={(text) => api.sessions.edit(id, seq, { content: text })}
      onDone={onDone}
    />
  );
}
