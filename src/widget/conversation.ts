/**
 * The conversation of the widget: opens or resumes the session, follows it, and does what the person asks for. What it looks
 * like does not belong here. Effects: calls Parley, and keeps the session's id.
 */
import { ParleyError } from "../client/errors.ts";
import type { Sessions } from "../client/sessions.ts";
import type { LoggedMessage, StreamEvent } from "../client/types.ts";
import type { SessionMemory } from "./session-memory.ts";
import { ShownMessages } from "./shown-messages.ts";
import type { ShownMessage } from "./shown-messages.ts";

type Phase = "new" | "opening" | "open" | "ended" | "failed";

const PAGE_MESSAGES = 1_000;

/** The token has expired: with another one it goes on. */
const TOKEN_EXPIRED = 4401;

export class Conversation {
  readonly messages = new ShownMessages();
  phase: Phase = "new";
  /** Whether an answer is under way. */
  isAnswering = false;
  handler: "bot" | "waiting" | "human" = "bot";
  isReconnecting = false;
  /** What the last command failed with, in words for the person. */
  notice: string | null = null;
  onChange: () => void = () => {};
  readonly #sessions: Sessions;
  readonly #chatbotId: string;
  readonly #memory: SessionMemory;
  #id = "";
  #loading: Promise<void> | null = null;

  constructor(sessions: Sessions, chatbotId: string, memory: SessionMemory) {
    this.#sessions = sessions;
    this.#chatbotId = chatbotId;
    this.#memory = memory;
  }

  /** Goes on with the session of before, if there is one. Does nothing while it is open. */
  async open(): Promise<void> {
    if (this.phase !== "new" && this.phase !== "failed") return;
    this.#show("opening");
    try {
      await (this.#loading = this.#load());
      this.#show("open");
      await this.#follow();
    } catch (error) {
      console.error(error);
      this.#show("failed");
    }
  }

  /** Leaves a conversation that has ended for another one. */
  startAnew(): Promise<void> {
    this.#memory.write(null);
    this.messages.replace([]);
    this.handler = "bot";
    this.phase = "new";
    return this.open();
  }

  /** Waits until the session is open. @returns whether the message was taken */
  async send(content: string): Promise<boolean> {
    this.notice = null;
    try {
      await this.#loading;
    } catch {
      // That it cannot be opened is shown already.
      return false;
    }
    const message = this.messages.addUnsent(content);
    this.onChange();
    try {
      await this.#sessions.chat(this.#id, { content });
      return true;
    } catch (error) {
      // What is in the log was taken, even if its answer failed: the answer says so.
      if (message.state !== "sending") return true;
      this.messages.remove(message);
      this.#fail(error, "Your message was not sent. Please try again.");
      return false;
    }
  }

  stop = (): Promise<void> => this.#command(() => this.#sessions.stop(this.#id), "The answer could not be stopped.");

  requestPerson = (): Promise<void> =>
    this.#command(async () => {
      this.handler = (await this.#sessions.requestHuman(this.#id)).handler;
    }, "Nobody could be asked. Please try again.");

  /** @param rating the one that is set already is taken back */
  async rate(message: ShownMessage, rating: 1 | -1): Promise<void> {
    const { seq, rating: before } = message;
    if (seq === null) return;
    message.rating = before === rating ? null : rating;
    await this.#command(
      () =>
        before === rating
          ? this.#sessions.removeFeedback(this.#id, seq)
          : this.#sessions.setFeedback(this.#id, seq, { rating }),
      "Your rating was not saved. Please try again.",
      () => (message.rating = before),
    );
  }

  async #command(run: () => Promise<unknown>, notice: string, undo?: () => void): Promise<void> {
    this.notice = null;
    this.onChange();
    try {
      await run();
      this.onChange();
    } catch (error) {
      undo?.();
      this.#fail(error, notice);
    }
  }

  #fail(error: unknown, notice: string): void {
    console.error(error);
    this.notice = notice;
    this.onChange();
  }

  async #load(): Promise<void> {
    const known = this.#memory.read();
    const messages = known === null ? null : await this.#readMessages(known);
    this.#id = known !== null && messages ? known : await this.#create();
    this.messages.replace(messages ?? (await this.#readMessages(this.#id)) ?? []);
  }

  async #create(): Promise<string> {
    const { id } = await this.#sessions.create({ chatbotId: this.#chatbotId });
    this.#memory.write(id);
    return id;
  }

  /** @returns `null` if the session is gone, or is another person's who used this browser */
  async #readMessages(id: string): Promise<LoggedMessage[] | null> {
    const read: LoggedMessage[] = [];
    try {
      for (let after: number | undefined = 0; after !== undefined;) {
        const page = await this.#sessions.messages(id, { after, limit: PAGE_MESSAGES });
        read.push(...page.messages);
        after = page.nextAfter;
      }
      return read;
    } catch (error) {
      if (error instanceof ParleyError && error.status === 404) return null;
      throw error;
    }
  }

  async #follow(): Promise<void> {
    for (let code = TOKEN_EXPIRED; code === TOKEN_EXPIRED;) {
      const after = this.messages.lastSeq;
      const onState = (state: string) => {
        this.isReconnecting = state === "reconnecting";
        this.onChange();
      };
      for await (const event of this.#sessions.follow(this.#id, { after, onState })) {
        if (event.type === "stream-closed") code = event.code;
        await this.#apply(event);
      }
    }
    this.#show("ended");
  }

  async #apply(event: StreamEvent): Promise<void> {
    if (event.type === "session-snapshot") this.isAnswering = event.turn !== null;
    if (event.type === "turn-started") this.isAnswering = true;
    if (event.type === "turn-ended") this.isAnswering = false;
    if (event.type === "session-snapshot" || event.type === "session-updated")
      this.handler = (event.session["handler"] as Conversation["handler"] | undefined) ?? "bot";
    if (this.messages.apply(event)) this.messages.replace((await this.#readMessages(this.#id)) ?? []);
    this.onChange();
  }

  #show(phase: Phase): void {
    this.phase = phase;
    if (phase !== "open") this.isAnswering = false;
    this.onChange();
  }
}
