/** Plays a provider in OpenAI's format whose replies are written by the test, part by part. Runs in Node. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A call whose reply the test writes. */
export interface GatedCall {
  /** The model that was asked for. */
  model: string;
  /** As the header `authorization` has it. */
  authorization: string | undefined;
  /** The texts of the messages that were sent, in order. */
  messages: string[];
  /** Sends a part of the reply. */
  say: (text: string) => void;
  /** Ends the reply as complete. */
  finish: () => void;
  /** Breaks the connection in the middle of the reply. */
  breakOff: () => void;
  /** Resolves when the caller has left or the reply is complete. */
  closed: Promise<void>;
}

export interface GatedProvider {
  /** The `uri` of an endpoint of type `openai-connector`. */
  uri: string;
  /** The next call that no other `nextCall` got, when it comes. */
  nextCall: () => Promise<GatedCall>;
  stop: () => Promise<void>;
}

export async function startGatedProvider(): Promise<GatedProvider> {
  const calls: GatedCall[] = [];
  const waiting: ((call: GatedCall) => void)[] = [];
  const take = async (request: IncomingMessage, answer: ServerResponse) => {
    const text = (await request.setEncoding("utf8").toArray()).join("");
    const body = JSON.parse(text) as { model: string; messages: { content: string }[] };
    const messages = body.messages.map(({ content }) => content);
    const { authorization } = request.headers;
    const call = { model: body.model, authorization, messages, ...gatedReply(answer) };
    const next = waiting.shift();
    if (next) next(call);
    else calls.push(call);
  };
  const server = createServer((request, answer) => void take(request, answer));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    nextCall: () => {
      const call = calls.shift();
      return call ? Promise.resolve(call) : new Promise((resolve) => waiting.push(resolve));
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function gatedReply(answer: ServerResponse): Pick<GatedCall, "say" | "finish" | "breakOff" | "closed"> {
  answer.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  const send = (choice: object) => answer.write(`data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`);
  return {
    say: (content) => send({ delta: { content }, finish_reason: null }),
    finish: () => {
      send({ delta: {}, finish_reason: "stop" });
      answer.end("data: [DONE]\n\n");
    },
    breakOff: () => answer.destroy(),
    closed: new Promise((resolve) => answer.on("close", resolve)),
  };
}
