/**
 * The one connection of an open session: a WebSocket, over which all replies stream, and over which prompts and stops are sent. It
 * comes back by itself after the last message that it has, so nothing is missed or repeated. A prompt stays in the tab until
 * the server has acknowledged it: a reload sends it again, under the same id, which the server does only once.
 */
import type { StreamEvent } from "../../live/streaming/events.ts";
import { Observable } from "./observable.ts";
import { problemText } from "./problem.tsx";

/** The server answers without waking the session. A silent connection is dead after that long. */
const PING_MS = 20_000;
/** How long to leave a busy server alone. */
const BUSY_MS = 2_000;
const RETRY_MS = [250, 1_000, 2_000, 5_000];

/** Closed for good: the session was deleted, or the token is no longer accepted. */
const FINAL: Record<number, string> = {
  4401: "The token is no longer accepted. Sign out, and sign in with another one.",
  4404: "It was deleted.",
};

interface UnsentPrompt {
  type: "prompt-submit";
  id: string;
  content: string;
}

/** The close code for a frame that is too large. Sent again, it would close every connection. */
const TOO_LARGE = 1009;

/** What a page makes of the events. */
interface SessionModel {
  /** Of the last message: where the events go on after a lost connection. */
  lastSeq: number;
  apply: (event: StreamEvent) => void;
}

export class SessionConnection extends Observable {
  state: "connecting" | "open" | "closed" = "connecting";
  /** Why there is no connection, or why a frame was refused. */
  problem: string | null = null;
  /** The prompt that was refused last, until another one is sent. */
  refusedPrompt: string | null = null;
  readonly #openSocket: (after: number) => Promise<WebSocket>;
  readonly #id: string;
  readonly #model: SessionModel;
  readonly #unsent: UnsentPrompt[];
  #socket: WebSocket | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  #isStopped = false;

  /** @param openSocket opens a socket of the session, after a message */
  constructor(id: string, model: SessionModel, openSocket: (after: number) => Promise<WebSocket>) {
    super();
    this.#openSocket = openSocket;
    this.#id = id;
    this.#model = model;
    this.#unsent = readUnsent(id);
    void this.#open();
  }

  /** Whether a prompt waits for its acknowledgement. */
  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** @returns that the tab keeps it until the server has it */
  prompt(content: string): true {
    const frame: UnsentPrompt = { type: "prompt-submit", id: randomId(), content };
    this.#unsent.push(frame);
    this.problem = null;
    this.refusedPrompt = null;
    keepUnsent(this.#id, this.#unsent);
    this.#send(frame);
    this.changed();
    return true;
  }

  /** @param chatId without it, all chats of the running turn */
  stop(chatId?: string): void {
    this.#send({ type: "turn-cancel", id: randomId(), ...(chatId === undefined ? {} : { chatId }) });
  }

  close(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ping);
    this.#socket?.close();
  }

  async #open(): Promise<void> {
    try {
      const socket = await this.#openSocket(this.#model.lastSeq);
      // The page may have been left meanwhile.
      if (this.#isStopped) socket.close();
      else this.#listen(socket);
    } catch (error) {
      const isFinal = "status" in Object(error) && [401, 403, 404].includes((error as { status: number }).status);
      if (isFinal) this.#end(problemText(error));
      else this.#retry();
    }
  }

  #listen(socket: WebSocket): void {
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#attempt = 0;
      this.#setState("open");
      this.#ping = setInterval(() => socket.send("ping"), PING_MS);
      for (const frame of this.#unsent) this.#send(frame);
    });
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => {
      if (data !== "pong") this.#receive(JSON.parse(data) as StreamEvent);
    });
    socket.addEventListener("close", ({ code }) => {
      clearInterval(this.#ping);
      if (this.#isStopped) return;
      if (code === TOO_LARGE) this.#refuseLongest();
      const reason = FINAL[code];
      if (reason === undefined) this.#retry();
      else this.#end(reason);
    });
  }

  #receive(event: StreamEvent): void {
    if (event.type === "ack") this.#forget(event.id);
    else if (event.type === "failure") this.#refuse(event);
    else this.#model.apply(event);
  }

  #refuse({ id, code, message }: StreamEvent & { type: "failure" }): void {
    const frame = this.#unsent.find((unsent) => unsent.id === id);
    if (code === "unavailable") {
      if (frame) setTimeout(() => this.#send(frame), BUSY_MS);
      return;
    }
    this.problem = message;
    if (frame) this.refusedPrompt = frame.content;
    if (id !== null) this.#forget(id);
    this.changed();
  }

  #refuseLongest(): void {
    const [longest] = this.#unsent.toSorted((one, other) => other.content.length - one.content.length);
    if (!longest) return;
    this.problem = "The text is too long: at most 100,000 characters.";
    this.refusedPrompt = longest.content;
    this.#forget(longest.id);
  }

  #forget(id: string): void {
    const at = this.#unsent.findIndex((frame) => frame.id === id);
    if (at < 0) return;
    this.#unsent.splice(at, 1);
    keepUnsent(this.#id, this.#unsent);
    this.changed();
  }

  #send(frame: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #retry(): void {
    this.#setState("connecting");
    const wait = RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)];
    this.#attempt += 1;
    this.#timer = setTimeout(() => void this.#open(), wait);
  }

  #end(problem: string): void {
    this.problem = problem;
    this.#setState("closed");
  }

  #setState(state: SessionConnection["state"]): void {
    this.state = state;
    this.changed();
  }
}

const unsentName = (id: string): string => `parley.unsent.${id}`;

function readUnsent(id: string): UnsentPrompt[] {
  return JSON.parse(sessionStorage.getItem(unsentName(id)) ?? "[]") as UnsentPrompt[];
}

function keepUnsent(id: string, frames: UnsentPrompt[]): void {
  if (frames.length === 0) sessionStorage.removeItem(unsentName(id));
  else sessionStorage.setItem(unsentName(id), JSON.stringify(frames));
}

/** Leaves a prompt in the tab, for the connection that is opened next. */
export const leavePrompt = (id: string, content: string): void =>
  keepUnsent(id, [{ type: "prompt-submit", id: randomId(), content }]);

/** Without `crypto.randomUUID`, which pages have over https only. */
const randomId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
