/** The AI SDK's chats in the OpenAPI document: their tag, their failures and their operations. */
import { mountedAt } from "../openapi/operations.ts";
import type { DialectDocs, Operations } from "../openapi/operations.ts";
import { aiSdk } from "./dialect.ts";
import * as examples from "./examples.ts";
import * as schemas from "./response-schemas.ts";

const tag = "AI SDK";

const texts = { "text/event-stream": examples.stream };

const operations: Operations = {
  "POST /": {
    id: "sendUiMessage",
    tag,
    summary: "Send a message, or ask for another reply",
    description:
      "For `useChat`'s default transport. `submit-message` sends the text of the last message, once per id of that message. With a `messageId` it changes that message, and the answer is another path of the conversation. `regenerate-message` asks for another reply: to the user's last message, or in place of `messageId`; `Idempotency-Key` is for it only. The answer is a UI message stream, which ends with `[DONE]`; a reply that fails is a part `error` in it. The reply goes on when its caller leaves: `POST /sessions/{id}/stop` stops it.",
    headers: ["idempotency-key"],
    response: { status: 200, description: "The reply as it comes: a part in each event", texts },
    problems: [404, 409],
    example: {
      id: "65f3a1b2c4d5e6f708192a3b",
      messages: [{ id: "vKq1hYxW2fPz7Lts", role: "user", parts: [{ type: "text", text: "Hello" }] }],
      trigger: "submit-message",
    },
  },
  "GET /:id": {
    id: "listUiMessages",
    tag,
    summary: "The conversation as UI messages",
    description: "For the `messages` that `useChat` begins with.",
    response: {
      status: 200,
      description:
        "The active path, oldest first. The newest messages if it is long: then the header `x-parley-truncated` is `true`",
      schema: schemas.UiMessages,
      example: examples.messages,
    },
    problems: [404],
  },
  "GET /:id/stream": {
    id: "resumeUiStream",
    tag,
    summary: "Resume the reply that runs",
    description: "With `after`, also a reply that has ended since you read the conversation.",
    response: { status: 200, description: "The reply from its beginning, then as it comes", texts },
    otherResponses: [{ status: 204, description: "No reply runs, and none has ended since `after`" }],
    problems: [404],
  },
};

export const aiSdkDocs: DialectDocs = {
  dialect: aiSdk,
  tags: { [tag]: "Sessions for the AI SDK's `useChat`" },
  problemSchema: () => schemas.UiFailure,
  operations: mountedAt("/ui/chat", operations),
};
