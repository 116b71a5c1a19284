/** Examples of UI messages and their streams, for the OpenAPI document. */
import type * as z from "zod";
import type { ReplyPart, UiMessage } from "./response-schemas.ts";

const messageId = "65f3a1b2c4d5e6f708192a3d";

const messageMetadata = { usage: { inputTokens: 1, outputTokens: 1 }, durationMs: 12, ttftMs: 3 };

export const messages: z.output<typeof UiMessage>[] = [
  { id: "seq-1", role: "user", parts: [{ type: "text", text: "Hello" }] },
  { id: messageId, role: "assistant", parts: [{ type: "text", text: "Hello" }], metadata: messageMetadata },
];

const parts: z.output<typeof ReplyPart>[] = [
  { type: "start", messageId },
  { type: "text-start", id: "text" },
  { type: "text-delta", id: "text", delta: "Hello" },
  { type: "text-end", id: "text" },
  { type: "finish", messageMetadata },
];

export const stream = `${parts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join("")}data: [DONE]\n\n`;
