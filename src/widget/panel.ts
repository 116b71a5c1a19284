/** The button of the widget and the panel that it opens, in an open shadow root. What the conversation does is elsewhere. */
import type { Conversation } from "./conversation.ts";
import { button, element, icon } from "./elements.ts";
import { MessageList } from "./message-list.ts";
import type { WidgetOptions } from "./options.ts";
import css from "./widget.css?inline";

const CHAT = "M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H9l-5 4v-4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z";
const CLOSE = "M5 5l14 14M19 5 5 19";
const SEND = "M4 12 21 4l-6 17-3-7z";
const STOP = "M7 7h10v10H7z";

const HANDLERS = {
  bot: "",
  waiting: "Somebody will join you soon. You can go on writing.",
  human: "You are talking to a person.",
};

const PANEL_ID = "panel";

export class Panel {
  readonly host: HTMLElement;
  readonly #conversation: Conversation;
  readonly #options: WidgetOptions;
  readonly #list: MessageList;
  readonly #launcher: HTMLButtonElement;
  readonly #panel: HTMLElement;
  readonly #input: HTMLTextAreaElement;
  readonly #send: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #again: HTMLButtonElement;
  readonly #person: HTMLButtonElement;
  readonly #notice = element("p", { class: "notice", role: "alert" });
  readonly #status = element("p", { class: "status", role: "status" });
  /** Read out by screen readers: an answer when it is complete, and not each of its parts. */
  readonly #spoken = element("p", { class: "spoken", "aria-live": "polite" });
  #isDrawn = true;
  #wasAnswering = false;

  constructor(conversation: Conversation, options: WidgetOptions) {
    this.#conversation = conversation;
    this.#options = options;
    const { title } = options;
    this.#list = new MessageList((message, rating) => void conversation.rate(message, rating));
    this.#launcher = button(
      title,
      { class: "launcher", "aria-expanded": "false", "aria-controls": PANEL_ID },
      () => this.#toggle(),
      icon(CHAT),
    );
    this.#input = element("textarea", {
      rows: "1",
      maxlength: "100000",
      placeholder: "Write a message",
      "aria-label": "Message",
    });
    this.#send = element("button", { type: "submit", class: "primary", "aria-label": "Send" }, icon(SEND));
    this.#stop = button("Stop the answer", { class: "primary" }, () => void conversation.stop(), icon(STOP));
    this.#again = button("Try again", { class: "again" }, () => this.#startAgain());
    this.#person = button("Talk to a person", { class: "person" }, () => void conversation.requestPerson());
    this.#panel = this.#makePanel(title);
    this.host = element("div", { "data-parley": "" });
    const root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    if (options.theme) this.host.dataset["theme"] = options.theme;
    for (const part of [this.#panel, this.#launcher]) root.appendChild(part);
    conversation.onChange = () => this.#draw();
    this.#update();
  }

  #makePanel(title: string): HTMLElement {
    const close = button("Close", { class: "close" }, () => this.#toggle(), icon(CLOSE));
    const header = element("header", {}, element("h2", { id: "title" }, title), this.#person, close);
    const form = element("form", {}, this.#input, this.#send, this.#stop);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#input.addEventListener("input", () => this.#fitInput());
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#submit();
    });
    const parts = [header, this.#status, this.#list.element, this.#notice, this.#again, form, this.#spoken];
    const panel = element(
      "section",
      { class: "panel", id: PANEL_ID, role: "dialog", "aria-labelledby": "title", hidden: true },
      ...parts,
    );
    panel.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#toggle();
    });
    return panel;
  }

  #toggle(): void {
    const isOpen = this.#panel.hidden !== false;
    this.#panel.hidden = !isOpen;
    this.#launcher.setAttribute("aria-expanded", String(isOpen));
    this.#launcher.classList.toggle("open", isOpen);
    if (isOpen) {
      void this.#conversation.open();
      this.#draw();
      this.#input.focus();
    } else this.#launcher.focus();
  }

  #startAgain(): void {
    const { phase } = this.#conversation;
    void (phase === "ended" ? this.#conversation.startAnew() : this.#conversation.open());
    this.#input.focus();
  }

  async #submit(): Promise<void> {
    const { phase, isAnswering } = this.#conversation;
    const text = this.#input.value;
    const isPossible = phase === "opening" || (phase === "open" && !isAnswering);
    if (!isPossible || text.trim() === "") return;
    this.#setInput("");
    const isTaken = await this.#conversation.send(text);
    if (!isTaken && this.#input.value === "") this.#setInput(text);
  }

  #setInput(text: string): void {
    this.#input.value = text;
    this.#fitInput();
  }

  /** As high as its text, up to what the style allows. */
  #fitInput(): void {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }

  /** Once a frame, however many events have come. */
  #draw(): void {
    if (!this.#isDrawn) return;
    this.#isDrawn = false;
    requestAnimationFrame(() => {
      this.#isDrawn = true;
      this.#update();
    });
  }

  #update(): void {
    const { phase, isAnswering, messages, notice } = this.#conversation;
    this.#list.update(messages.items);
    showText(this.#notice, phase === "failed" ? "The chat is not available at the moment." : notice);
    showText(this.#status, this.#statusText());
    this.#again.hidden = phase !== "failed" && phase !== "ended";
    this.#again.textContent = phase === "ended" ? "Start a new conversation" : "Try again";
    this.#person.hidden = !this.#mayAskForPerson();
    this.#input.disabled = !this.#again.hidden;
    this.#send.hidden = isAnswering;
    this.#stop.hidden = !isAnswering;
    if (this.#wasAnswering && !isAnswering) this.#spoken.textContent = messages.items.at(-1)?.text ?? "";
    this.#wasAnswering = isAnswering;
  }

  #mayAskForPerson(): boolean {
    const { phase, handler } = this.#conversation;
    return this.#options.offersPerson && phase === "open" && handler === "bot";
  }

  #statusText(): string {
    const { phase, handler, isReconnecting } = this.#conversation;
    if (phase === "opening") return "Connecting …";
    if (phase === "ended") return "This conversation has ended.";
    return phase === "open" && isReconnecting ? "The connection was lost. Connecting again …" : HANDLERS[handler];
  }
}

function showText(shown: HTMLElement, text: string | null): void {
  shown.textContent = text;
  shown.hidden = !text;
}
