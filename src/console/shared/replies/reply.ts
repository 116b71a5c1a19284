/** One reply: how far it is, its text, and its figures. No effects but the clock. */
import type { StreamEvent } from "../../../live/streaming/events.ts";
import { Observable } from "../observable.ts";

type Appended = StreamEvent & { type: "message-appended" };
type EndStatus = "ok" | "error" | "cancelled";

type ReplyEvent = StreamEvent & { type: "reply-start" | "reply-delta" | "reply-end" };

export const isOfReply = (event: StreamEvent): event is ReplyEvent => event.type.startsWith("reply-");

export type ReplyState = "waiting" | "writing" | EndStatus;

export interface Figures {
  finishReason: string | null;
  usage: { inputTokens: number; outputTokens: number } | null;
  durationMs: number | null;
  ttftMs: number | null;
}

export class Reply extends Observable {
  state: ReplyState = "waiting";
  error: { code: string; message: string } | null = null;
  figures: Figures | null = null;
  /** When the call began and its first text came, as this page saw it: milliseconds of `performance.now`. */
  startedAt: number | null = null;
  firstTextAt: number | null = null;
  /** The text, as it came. Joined only when needed: a string that grows by each token is copied again and again. */
  readonly #texts: string[] = [];
  #length = 0;
  /** Changes when the text so far is no longer the beginning of the text. */
  edition = 0;
  /** Texts, not states: who shows the stream is called for each token. */
  readonly texts = new Observable();
  onState: () => void = () => undefined;

  get isRunning(): boolean {
    return this.state === "waiting" || this.state === "writing";
  }

  get text(): string {
    return this.#texts.join("");
  }

  /** What has come since `count` pieces, and how many there are now. */
  textSince(count: number): { text: string; count: number } {
    return { text: this.#texts.slice(count).join(""), count: this.#texts.length };
  }

  apply(event: ReplyEvent): void {
    if (event.type === "reply-start") this.start();
    else if (event.type === "reply-delta") this.add(event.offset, event.text);
    else this.end(event.status, event.error);
  }

  start(): void {
    if (this.state !== "waiting") return;
    this.startedAt ??= performance.now();
    this.#change("writing");
  }

  /** @param offset where the text belongs: after a lost connection all text so far comes again */
  add(offset: number, text: string): void {
    if (!this.isRunning) return;
    if (offset === 0 && this.#length > 0) this.#replaceText(text);
    else if (offset <= this.#length) this.#push(text.slice(this.#length - offset));
    if (this.firstTextAt === null) {
      this.firstTextAt = performance.now();
      this.#change("writing");
    }
    this.texts.changed();
  }

  /** The message of the log has the last word. */
  complete(event: Appended): void {
    const { content, status } = event;
    if (this.text !== content) this.#replaceText(content);
    this.figures = figuresOf(event);
    this.#change(status ?? "ok");
    this.texts.changed();
  }

  end(status: EndStatus, error?: { code: string; message: string }): void {
    this.error = error ?? this.error;
    this.#change(status);
  }

  #push(text: string): void {
    if (text === "") return;
    this.#texts.push(text);
    this.#length += text.length;
  }

  #replaceText(text: string): void {
    this.#texts.length = 0;
    this.#length = 0;
    this.edition += 1;
    this.#push(text);
  }

  #change(state: ReplyState): void {
    this.state = state;
    this.changed();
    this.onState();
  }
}

export const figuresOf = ({ finishReason, usage, durationMs, ttftMs }: Appended): Figures => ({
  finishReason: finishReason ?? null,
  usage: usage ?? null,
  durationMs: durationMs ?? null,
  ttftMs: ttftMs ?? null,
});

/** Output tokens a second while the reply was being written; `null` when that cannot be known. */
export function tokensPerSecond({ usage, durationMs, ttftMs }: Figures): number | null {
  if (!usage || durationMs === null) return null;
  const writing = durationMs - (ttftMs ?? 0);
  return writing > 0 && usage.outputTokens > 1 ? (usage.outputTokens * 1000) / writing : null;
}

/** As an endpoint has them. */
export interface Prices {
  input_per_million: number;
  output_per_million: number;
}

/** What a reply costs at these prices; `null` when that cannot be known. */
export const costAt = ({ usage }: Figures, prices: Prices | null): number | null =>
  usage && prices
    ? (usage.inputTokens * prices.input_per_million + usage.outputTokens * prices.output_per_million) / 1_000_000
    : null;
