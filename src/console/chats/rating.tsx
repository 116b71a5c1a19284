/** Rates an answer, and says why. */
import { useConsole } from "../context.ts";
import type { ItemProps } from "./item-props.ts";
import { TextForm } from "./text-form.tsx";

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

interface CommentProps extends Pick<ItemProps, "id" | "message" | "facts" | "onChanged"> {
  isChanging: boolean;
  onDone: () => void;
}

/** The comment of a rating, or the form for it. */
export function Comment({ id, message: { seq }, facts, isChanging, onChanged, onDone }: CommentProps) {
  const { api } = useConsole();
  const feedback = facts?.feedback ?? null;
  if (!feedback || !isChanging)
    return feedback?.comment === undefined ? null : <p class="hint message-comment">“{feedback.comment}”</p>;
  const save = async (text: string) => {
    const { comment: _, ...others } = feedback;
    await api.sessions.setFeedback(id, seq, { ...others, ...(text.trim() === "" ? {} : { comment: text }) });
    onChanged();
  };
  return (
    <TextForm
      draftName={`comment.${id}.${seq}`}
      name="comment"
      label={`Why this answer is ${feedback.rating < 0 ? "bad" : "good"}`}
      saved={feedback.comment ?? ""}
      maxLength={1000}
      action="Save"
      onSave={save}
      onDone={onDone}
    />
  );
}
