/** Shows the messages, each in an element of its own that is changed when the message changes. */
import { button, element, icon } from "./elements.ts";
import type { ShownMessage } from "./shown-messages.ts";

const UP = "M7 10v11H3V10zm2 0 4-8c1.7 2.5 1 5 .5 7H20a2 2 0 0 1 2 2.3l-1.2 7.5a2 2 0 0 1-2 1.7H9z";

/** So close to its end, in pixels, a list goes on scrolling with what comes. */
const NEAR_END = 80;

type Rate = (message: ShownMessage, rating: 1 | -1) => void;

interface Row {
  element: HTMLElement;
  update: () => void;
}

export class MessageList {
  readonly element = element("div", {
    class: "messages",
    role: "log",
    "aria-live": "off",
    tabindex: "0",
    "aria-label": "Messages",
  });
  readonly #rows = new Map<ShownMessage, Row>();
  readonly #rate: Rate;

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  update(messages: readonly ShownMessage[]): void {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    for (const [message, row] of this.#rows)
      if (!messages.includes(message)) {
        row.element.remove();
        this.#rows.delete(message);
      }
    for (const [index, message] of messages.entries()) {
      const row = this.#rows.get(message) ?? this.#addRow(message);
      row.update();
      if (this.element.children[index] !== row.element)
        this.element.insertBefore(row.element, this.element.children[index] ?? null);
    }
    if (isAtEnd) this.element.scrollTop = this.element.scrollHeight;
  }

  #addRow(message: ShownMessage): Row {
    const row = makeRow(message, this.#rate);
    this.#rows.set(message, row);
    return row;
  }
}

const NAMES = { user: "You", assistant: "Assistant" };

const noteOf = ({ failure, state }: ShownMessage): string => failure ?? (state === "stopped" ? "Stopped" : "");

const isRated = ({ rating, seq, state }: ShownMessage): boolean =>
  rating !== undefined && seq !== null && state !== "failed";

function makeRow(message: ShownMessage, rate: Rate): Row {
  const author = element("span", { class: "author" });
  const text = element("p", { class: "text", dir: "auto" });
  const note = element("p", { class: "note" });
  const ratings = ([1, -1] as const).map((rating) => ratingButton(message, rating, rate));
  const rated = element("div", { class: "ratings", role: "group", "aria-label": "Rate this answer" }, ...ratings);
  const row = element("div", { class: `message ${message.role}` }, author, text, note, rated);
  const update = () => {
    author.textContent = message.author ?? NAMES[message.role];
    author.classList.toggle("hidden", message.author === null);
    if (text.textContent !== message.text) text.textContent = message.text;
    text.hidden = message.text === "" && message.state !== "streaming";
    note.textContent = noteOf(message);
    note.hidden = note.textContent === "";
    row.dataset["state"] = message.state;
    row.setAttribute("aria-busy", String(message.state === "streaming"));
    rated.hidden = !isRated(message);
    for (const [index, rating] of [1, -1].entries())
      ratings[index]?.setAttribute("aria-pressed", String(message.rating === rating));
  };
  return { element: row, update };
}

const ratingButton = (message: ShownMessage, rating: 1 | -1, rate: Rate): HTMLButtonElement =>
  button(
    rating === 1 ? "Good answer" : "Bad answer",
    { class: rating === 1 ? "rating" : "rating down" },
    () => rate(message, rating),
    icon(UP),
  );
