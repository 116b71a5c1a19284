/** Rates an answer, and says why. */
import { useId, useState } from "preact/hooks";
import type { FeedbackFields } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import type { ItemProps } from "./item-props.ts";

interface RatingProps extends ItemProps {
  /** Asks for the form of the comment. */
  onComment: () => void;
}

export function Rating({ id, message: { seq }, facts, run, onComment }: RatingProps) {
  const { api } = useConsole();
  const feedback = facts?.feedback ?? null;
  const rate = (rating: 1 | -1) =>
    run(
      feedback?.rating === rating
        ? api.sessions.removeFeedback(id, seq)
        : api.sessions.setFeedback(id, seq, { ...feedback, rating }),
    );
  const button = (value: 1 | -1, text: string) => (
    <button type="button" class="quiet small" aria-pressed={feedback?.rating === value} onClick={() => rate(value)}>
      {text}
    </button>
  );
  return (
    <>
      {button(1, "Good")}
      {button(-1, "Bad")}
      {feedback && (
        <button type="button" class="quiet small" onClick={onComment}>
          {feedback.comment === undefined ? "Say why" : "Change comment"}
        </button>
      )}
    </>
  );
}

interface CommentProps extends Pick<ItemProps, "id" | "message" | "run"> {
  onDone: () => void;
}

/** The comment of a rating, or the form for it. */
export function Comment({
  facts,
  isChanging,
  ...props
}: CommentProps & { facts: ItemProps["facts"]; isChanging: boolean }) {
  const feedback = facts?.feedback ?? null;
  if (feedback && isChanging) return <CommentForm {...props} feedback={feedback} />;
  return feedback?.comment === undefined ? null : <p class="hint message-comment">“{feedback.comment}”</p>;
}

function CommentForm({ id, message: { seq }, feedback, run, onDone }: CommentProps & { feedback: FeedbackFields }) {
  const { api } = useConsole();
  const [text, setText] = useState(feedback.comment ?? "");
  const fieldId = useId();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const { comment: _, ...others } = feedback;
    run(api.sessions.setFeedback(id, seq, { ...others, ...(text.trim() === "" ? {} : { comment: text }) }));
    onDone();
  };
  return (
    <form class="fields" onSubmit={submit}>
      <label class="field" for={fieldId}>
        <span>Why this answer is {feedback.rating < 0 ? "bad" : "good"}</span>
        <textarea
          id={fieldId}
          rows={2}
          maxLength={1000}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <div class="prompt-line">
        <button type="submit" class="primary">
          Save
        </button>
        <button type="button" class="quiet" onClick={onDone}>
          Cancel
        </button>
      </div>
    </form>
  );
}
