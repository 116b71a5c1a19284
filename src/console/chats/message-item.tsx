/** One message: its text, what is known of the reply, and what can be done with it. */
import { useState } from "preact/hooks";
import { useConsole } from "../context.ts";
import { shortTime } from "../shared/format.ts";
import { FiguresLine, STATE_TEXT } from "../shared/replies/figures.tsx";
import { FormattedText } from "../shared/replies/formatted-text.tsx";
import type { ChatMessage } from "./conversation.ts";
import type { Run } from "./run.ts";

interface ItemProps {
  id: string;
  message: ChatMessage;
  /** The message itself, and those in its place. */
  variants: ChatMessage[];
  rating: number | null;
  /** Whether the conversation takes messages. */
  isActive: boolean;
  run: Run;
}

const WRITERS = { user: "Client", assistant: "Chatbot", system: "System" } as const;

export function MessageItem(props: ItemProps) {
  const { message } = props;
  const { role, content, author, status, error, figures, sentAt } = message;
  const [isEditing, setIsEditing] = useState(false);
  const writer = author ?? WRITERS[role];
  return (
    <article aria-label={`${writer}, ${shortTime(sentAt)}`}>
      <p class="message-writer">
        <strong>{writer}</strong> {shortTime(sentAt)}
      </p>
      {isEditing ? (
        <EditForm {...props} onDone={() => setIsEditing(false)} />
      ) : (
        content !== "" &&
        (role === "assistant" ? <FormattedText text={content} /> : <p class="text message-plain">{content}</p>)
      )}
      {status === "error" && <p class="failure">{error ?? "The endpoint gave no answer."}</p>}
      <footer class="answer-foot">
        {status && status !== "ok" && <span class={`state state-${status}`}>{STATE_TEXT[status]}</span>}
        {figures && <FiguresLine figures={figures} prices={null} />}
        <Actions {...props} onEdit={() => setIsEditing(true)} />
      </footer>
    </article>
  );
}

function Actions({ id, message, variants, rating, isActive, run, onEdit }: ItemProps & { onEdit: () => void }) {
  const { api, me } = useConsole();
  const { seq, role, status } = message;
  // An operator reads, rates and takes over, but does not ask.
  const mayAsk = isActive && me.role !== "operator";
  return (
    <span class="answer-actions">
      <Variants message={message} variants={variants} onChoose={(other) => run(api.sessions.activate(id, other))} />
      {status === "ok" && (
        <Rating
          rating={rating}
          onRate={(value) =>
            run(
              value === null
                ? api.sessions.removeFeedback(id, seq)
                : api.sessions.setFeedback(id, seq, { rating: value }),
            )
          }
        />
      )}
      {mayAsk && status && (
        <button type="button" class="quiet small" onClick={() => run(api.sessions.regenerate(id, seq))}>
          Ask again
        </button>
      )}
      {mayAsk && role === "user" && (
        <button type="button" class="quiet small" onClick={onEdit}>
          Edit
        </button>
      )}
    </span>
  );
}

interface VariantsProps {
  message: ChatMessage;
  variants: ChatMessage[];
  onChoose: (seq: number) => void;
}

function Variants({ message, variants, onChoose }: VariantsProps) {
  if (variants.length < 2) return null;
  const at = variants.findIndex(({ seq }) => seq === message.seq);
  const step = (by: number, label: string, sign: string) => {
    const other = variants[at + by];
    return (
      <button
        type="button"
        class="quiet small"
        aria-label={label}
        disabled={!other}
        onClick={() => other && onChoose(other.seq)}
      >
        {sign}
      </button>
    );
  };
  return (
    <span class="variants">
      {step(-1, "Earlier variant", "‹")}
      {at + 1} of {variants.length}
      {step(1, "Later variant", "›")}
    </span>
  );
}

function Rating({ rating, onRate }: { rating: number | null; onRate: (rating: 1 | -1 | null) => void }) {
  const button = (value: 1 | -1, text: string) => (
    <button
      type="button"
      class="quiet small"
      aria-pressed={rating === value}
      onClick={() => onRate(rating === value ? null : value)}
    >
      {text}
    </button>
  );
  return (
    <>
      {button(1, "Good")}
      {button(-1, "Bad")}
    </>
  );
}

function EditForm({ id, message, run, onDone }: ItemProps & { onDone: () => void }) {
  const { api } = useConsole();
  const [text, setText] = useState(message.content);
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault();
        run(api.sessions.edit(id, message.seq, { content: text }));
        onDone();
      }}
    >
      <textarea
        aria-label="Message"
        value={text}
        maxLength={100_000}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <div class="prompt-line">
        <button type="submit" class="primary" disabled={text.trim() === ""}>
          Send
        </button>
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}
