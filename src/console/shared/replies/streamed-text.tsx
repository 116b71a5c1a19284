/**
 * A reply while it is being written, as plain text. New text is added to the page at most once a frame, and each line is a block
 * of its own, so that the browser lays out only the last one again.
 */
import { useLayoutEffect, useRef } from "preact/hooks";
import { atNextFrame } from "../frames.ts";
import type { Reply } from "./reply.ts";

export function StreamedText({ reply }: { reply: Reply }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!place.current) return;
    const writer = new TextWriter(place.current, reply);
    writer.write();
    return reply.texts.subscribe(() => atNextFrame(writer.write));
  }, [reply]);
  return <div class="text text-plain" ref={place} />;
}

class TextWriter {
  readonly #place: HTMLElement;
  readonly #reply: Reply;
  #edition = -1;
  #count = 0;

  constructor(place: HTMLElement, reply: Reply) {
    this.#place = place;
    this.#reply = reply;
  }

  readonly write = (): void => {
    if (this.#edition !== this.#reply.edition) {
      this.#edition = this.#reply.edition;
      this.#count = 0;
      this.#place.replaceChildren();
    }
    const { text, count } = this.#reply.textSince(this.#count);
    this.#count = count;
    const [first = "", ...lines] = text.split("\n");
    (this.#place.lastElementChild ?? this.#addLine()).append(first);
    for (const line of lines) this.#addLine().append(line);
  };

  #addLine(): HTMLElement {
    const line = document.createElement("div");
    this.#place.appendChild(line);
    return line;
  }
}
