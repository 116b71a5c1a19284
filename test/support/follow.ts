/** Clients of sockets and event streams that check each event against its schema, and wait for events. */
import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import { StreamEvent } from "../../src/live/streaming/event-schemas.ts";
import { ADMIN_KEY } from "./api.ts";

export type Event = { type: string } & Record<string, ReturnType<typeof JSON.parse>>;

/** Collects events, each checked against its schema, and waits for them. */
export class EventInbox {
  readonly events: Event[] = [];
  closed: { code: number; reason: string } | null = null;
  #wake: () => void = () => {};

  push(json: string): void {
    const event: unknown = JSON.parse(json);
    expect(StreamEvent.safeParse(event).error).toBeUndefined();
    this.events.push(event as Event);
    this.#wake();
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
    this.#wake();
  }

  /** Waits for a condition. Gives up before the test's own timeout, with an error that shows the events. */
  async until(holds: (inbox: EventInbox) => boolean): Promise<this> {
    const late = Date.now() + 40_000;
    while (!holds(this)) {
      if (Date.now() > late)
        throw new Error(`Not seen in time. What came: ${JSON.stringify(this.events).slice(-1500)}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, 200);
      });
      clearTimeout(timer);
    }
    return this;
  }

  /** Waits for the `count`th event of a type. */
  async next(type: string, count = 1): Promise<Event> {
    await this.until(({ events }) => events.filter((event) => event.type === type).length >= count);
    return this.events.filter((event) => event.type === type)[count - 1] as Event;
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }
}

interface Options {
  token?: string | null;
  headers?: Record<string, string>;
  /** Whether a socket's client answers the server's Close frame. */
  answersClose?: boolean;
}

const headersOf = ({ token = ADMIN_KEY, headers = {} }: Options) => ({
  ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  ...headers,
});

/** The client's end of a WebSocket. */
export class SocketClient extends EventInbox {
  readonly socket: WebSocket;

  /** @param answersClose whether it answers the server's Close frame, as every honest client does */
  constructor(socket: WebSocket, answersClose = true) {
    super();
    this.socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (data !== "pong") this.push(data as string);
    });
    socket.addEventListener("close", ({ code, reason }) => this.close(code, reason));
    socket.accept({ allowHalfOpen: !answersClose });
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }
}

/** Sends an upgrade request. @returns the server's answer, also when it is an error */
export const upgrade = (path: string, options: Options = {}): Promise<Response> =>
  exports.default.fetch(
    new Request(`http://parley.test${path}`, { headers: { upgrade: "websocket", ...headersOf(options) } }),
  );

/** Opens a WebSocket. */
export async function connect(path: string, options: Options = {}): Promise<SocketClient> {
  const answer = await upgrade(path, options);
  if (!answer.webSocket) throw new Error(`No socket: ${answer.status} ${await answer.text()}`);
  return new SocketClient(answer.webSocket, options.answersClose);
}

/** Reads an event stream. */
export class EventStreamReader extends EventInbox {
  readonly ids: string[] = [];
  readonly status: number;
  readonly headers: Headers;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  ended = false;

  constructor(answer: Response) {
    super();
    this.status = answer.status;
    this.headers = answer.headers;
    this.#reader = answer.body?.getReader();
    void this.#read();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    try {
      for (;;) {
        const chunk = await this.#reader?.read();
        if (!chunk || chunk.done) break;
        const blocks = (text + decoder.decode(chunk.value, { stream: true })).split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // The connection was cut. The events so far stay.
    }
    this.ended = true;
    this.close(0, "");
  }

  #take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
    const data = field("data");
    if (data === undefined) return;
    this.push(data);
    expect(field("event")).toBe(this.events.at(-1)?.type);
    const id = field("id");
    expect(id).toBe(this.events.at(-1)?.type === "message-appended" ? String(this.events.at(-1)?.["seq"]) : undefined);
    if (id !== undefined) this.ids.push(id);
  }

  async cut(): Promise<void> {
    await this.#reader?.cancel();
  }
}

/** Opens an event stream: with GET, or with POST when there is a body. */
export async function followEvents(path: string, body?: unknown, options: Options = {}): Promise<EventStreamReader> {
  const answer = await exports.default.fetch(
    new Request(`http://parley.test${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        accept: "text/event-stream",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headersOf(options),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  if (answer.status !== 200) throw new Error(`No stream: ${answer.status} ${await answer.text()}`);
  return new EventStreamReader(answer);
}
