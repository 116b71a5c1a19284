/** A rating: of which answer, with what comment, and where to go from there. */
import type { ListedFeedback } from "../../client/types.ts";
import type { ChatPart } from "../bridge/chat-part.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { shortTime } from "../shared/format.ts";
import type { Names } from "./names.ts";

interface RowProps {
  rating: ListedFeedback;
  /** `null` until they are loaded. */
  names: Names | null;
  onCompare: (from: ChatPart) => void;
}

/** How much of a message the list shows. */
const SHOWN_LENGTH = 400;

export function RatingRow({ rating, names, onCompare }: RowProps) {
  const { tags = [], comment, updatedAt, message, userMessage } = rating;
  return (
    <li>
      <div class="row-text rating">
        <p>
          <RatingBadge rating={rating.rating} />{" "}
          <span>{[...peopleOf(rating, names), shortTime(new Date(updatedAt))].join(" · ")}</span>
        </p>
        {comment !== undefined && <p class="rating-comment">“{comment}”</p>}
        {tags.length > 0 && <Tags tags={tags} />}
        {userMessage && <p class="rating-prompt">{beginningOf(userMessage.content)}</p>}
        <p class="rating-answer">{beginningOf(message.content)}</p>
      </div>
      <RowActions rating={rating} onCompare={onCompare} />
    </li>
  );
}

const Tags = ({ tags }: { tags: string[] }) => (
  <ul class="rating-tags" aria-label="Tags">
    {tags.map((tag) => (
      <li key={tag} class="badge">
        {tag}
      </li>
    ))}
  </ul>
);

function RowActions({ rating: { sessionId, seq, message, userMessage }, onCompare }: Omit<RowProps, "names">) {
  const { me } = useConsole();
  const about = nameOf((userMessage ?? message).content);
  const compare = () => onCompare({ sessionId, name: about, untilSeq: seq, answers: [{ seq, text: message.content }] });
  return (
    <div class="row-actions">
      <a class="button quiet small" href={addressOf("chats", sessionId, seq)} aria-label={`In its chat: ${about}`}>
        In its chat
      </a>
      {(me.role === "admin" || me.role === "service") && (
        <button type="button" class="quiet small" aria-label={`Compare on other models: ${about}`} onClick={compare}>
          Compare on other models
        </button>
      )}
    </div>
  );
}

const RatingBadge = ({ rating }: { rating: number }) => (
  <strong class={`badge ${rating < 0 ? "badge-bad" : "badge-accent"}`}>{rating < 0 ? "Bad" : "Good"}</strong>
);

/** Who was answered, and by which chatbot. */
const peopleOf = ({ clientId, chatbotId }: ListedFeedback, names: Names | null): string[] => [
  ...(clientId === null ? [] : [names?.clients.get(clientId) ?? clientId]),
  ...(chatbotId === null ? [] : [names?.chatbots.get(chatbotId) ?? chatbotId]),
];

const beginningOf = (text: string): string =>
  text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH).toWellFormed()} …`;

/** A comparison needs a name: the beginning of what was asked. */
const nameOf = (text: string): string => text.trim().replace(/\s+/g, " ").slice(0, 60).toWellFormed() || "A chat";
