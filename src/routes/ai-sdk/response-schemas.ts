/**
 * Schemas of UI messages and of the parts of their streams. They are for the OpenAPI document, and give the code its types;
 * nothing in the Worker validates an answer.
 */
import * as z from "zod";
import { FINISH_REASONS } from "../../core/message.ts";
import { AuthorOutput } from "../http/response-fields.ts";

export const UiFailure = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
      requestId: z.string(),
    }),
  })
  .meta({ id: "UiFailure", description: "A failed call of the AI SDK" });

const count = z.number().int();

export const ReplyMetadata = z
  .object({
    usage: z
      .object({ inputTokens: count, outputTokens: count })
      .optional()
      .meta({ description: "Absent where the provider reports none" }),
    durationMs: z.number().optional(),
    ttftMs: z.number().optional().meta({ description: "Time to the first text" }),
    finishReason: z.enum(FINISH_REASONS).optional().meta({ description: "Absent for `stop`" }),
  })
  .meta({ id: "ReplyMetadata" });

export const UiMessage = z
  .object({
    id: z.string().meta({ description: "Of a reply, the `messageId` that its stream began with" }),
    role: z.enum(["system", "user", "assistant"]),
    parts: z.array(z.object({ type: z.literal("text"), text: z.string() })),
    metadata: z.union([ReplyMetadata, z.object({ author: AuthorOutput })]).optional(),
  })
  .meta({ id: "UiMessage" });

export const UiMessages = z.array(UiMessage).meta({ id: "UiMessages" });

const text = z.string();

/** A part of a stream. */
export const ReplyPart = z.discriminatedUnion("type", [
  z.object({ type: z.literal("start"), messageId: text }),
  z.object({ type: z.literal("text-start"), id: text }),
  z.object({ type: z.literal("text-delta"), id: text, delta: text }),
  z.object({ type: z.literal("text-end"), id: text }),
  z.object({ type: z.literal("data-handler"), data: z.object({ handler: z.literal("human") }) }),
  z.object({ type: z.literal("finish"), messageMetadata: ReplyMetadata.optional() }),
  z.object({ type: z.literal("error"), errorText: text }),
]);
