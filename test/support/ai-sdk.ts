/** The AI SDK's chat with its default transport, against the app in the Workers runtime. */
import { exports } from "cloudflare:workers";
import { AbstractChat, DefaultChatTransport, asSchema, uiMessageChunkSchema } from "ai";
import type { ChatInit, ChatState, UIMessage, UIMessageChunk } from "ai";
import { expect } from "vitest";
import { ReplyPart } from "../../src/routes/ai-sdk/response-schemas.ts";
import { ADMIN_KEY } from "./api.ts";
import { faultIn } from "./openapi.ts";

const API = "http://parley.test/ui/chat";

/** A call that a chat has made. */
export interface TransportCall {
  method: string;
  path: string;
  body: unknown;
  status: number;
  headers: Headers;
  /** The parts of its stream so far. */
  parts: UIMessageChunk[];
  /** The text of the stream so far. */
  text: string;
}

/** What `useChat` keeps, without React. */
class State implements ChatState<UIMessage> {
  status: ChatState<UIMessage>["status"] = "ready";
  error: Error | undefined = undefined;
  messages: UIMessage[];

  constructor(messages: UIMessage[]) {
    this.messages = messages;
  }
  pushMessage = (message: UIMessage) => void (this.messages = [...this.messages, message]);
  popMessage = () => void (this.messages = this.messages.slice(0, -1));
  replaceMessage = (index: number, message: UIMessage) => void (this.messages = this.messages.with(index, message));
  snapshot = <T>(value: T): T => structuredClone(value);
}

class TestChat extends AbstractChat<UIMessage> {
  constructor({ messages = [], ...init }: ChatInit<UIMessage>) {
    super({ ...init, state: new State(messages) });
  }
}

/**
 * A chat as a page has it that was just opened.
 *
 * @param options.messages what the page got by `GET /ui/chat/{id}`
 * @param options.sayLast whether the page says which message is its last when it resumes
 */
export function openChat(id: string, { token = ADMIN_KEY, messages = [] as UIMessage[], sayLast = false } = {}) {
  const calls: TransportCall[] = [];
  const transport = new DefaultChatTransport({
    api: API,
    headers: { authorization: `Bearer ${token}` },
    ...(sayLast
      ? { prepareReconnectToStreamRequest: () => ({ api: `${API}/${id}/stream?after=${messages.at(-1)?.id}` }) }
      : {}),
    fetch: async (url, init) => {
      const request = new Request(url, init);
      const { method } = request;
      const { pathname: path } = new URL(request.url);
      const answer = await exports.default.fetch(request);
      const body: unknown = typeof init?.body === "string" ? JSON.parse(init.body) : null;
      const call: TransportCall = {
        method,
        path,
        body,
        status: answer.status,
        headers: answer.headers,
        parts: [],
        text: "",
      };
      calls.push(call);
      if (!answer.ok) expect(faultIn(method, path, answer.status, await answer.clone().json())).toBeNull();
      return answer.ok && answer.body ? new Response(recorded(answer.body, call), answer) : answer;
    },
  });
  return { chat: new TestChat({ id, transport, messages }), calls };
}

const recorded = (stream: ReadableStream<Uint8Array>, call: TransportCall): ReadableStream<Uint8Array> => {
  const decoder = new TextDecoder();
  let rest = "";
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(bytes, controller) {
        const text = decoder.decode(bytes, { stream: true });
        call.text += text;
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) await recordPart(block, call);
        controller.enqueue(bytes);
      },
    }),
  );
};

/** Each part must be one of the AI SDK's, and one of the document. */
async function recordPart(block: string, call: TransportCall): Promise<void> {
  if (block.startsWith(":") || block === "data: [DONE]") return;
  const part: unknown = JSON.parse(block.replace(/^data: /, ""));
  expect(await asSchema(uiMessageChunkSchema).validate?.(part)).toMatchObject({ success: true });
  expect(ReplyPart.parse(part)).toEqual(part);
  call.parts.push(part as UIMessageChunk);
}

/** A conversation as a list of texts. */
export const textsOf = (messages: UIMessage[]): string[] =>
  messages.map(
    ({ role, parts }) => `${role}: ${parts.map((part) => (part.type === "text" ? part.text : part.type)).join("")}`,
  );
