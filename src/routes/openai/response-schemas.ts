/**
 * Schemas of what OpenAI's API answers. They are for the OpenAPI document, and give the code its types; nothing in the
 * Worker validates an answer. https://platform.openai.com/docs/api-reference
 */
import * as z from "zod";

export const OpenaiFailure = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable().meta({ description: "The field at fault" }),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: "OpenaiFailure", description: "A failed call to the OpenAI API" });

export const Model = z
  .object({
    id: z.string().meta({ description: "The id of an endpoint, or `chatbot:` and the id of a chatbot" }),
    object: z.literal("model"),
    created: z.number().int().meta({ description: "Seconds since 1970" }),
    owned_by: z.string().meta({ description: "The connector type; `parley` for a client" }),
    name: z.string(),
  })
  .meta({ id: "Model" });

export const Models = z.object({ object: z.literal("list"), data: z.array(Model) }).meta({ id: "Models" });

const count = z.number().int();

export const CompletionUsage = z
  .object({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: z.object({ cached_tokens: count }).optional(),
    completion_tokens_details: z.object({ reasoning_tokens: count }).optional(),
  })
  .meta({ id: "CompletionUsage", description: "Absent where the provider reports none" });

const finishReason = z.string().meta({
  description: "`stop`, `length`, `content_filter` or `tool_calls`; otherwise the provider's own reason",
});

export const ChatCompletion = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: count,
    model: z.string().meta({ description: "The model as the call named it" }),
    choices: z.array(
      z.object({
        index: count,
        message: z.object({ role: z.literal("assistant"), content: z.string(), refusal: z.null() }),
        logprobs: z.null(),
        finish_reason: finishReason,
      }),
    ),
    usage: CompletionUsage.optional(),
  })
  .meta({ id: "ChatCompletion" });

/** One chunk of a streamed completion: the JSON of an event's `data`. */
export const ChatCompletionChunk = z
  .object({
    id: z.string(),
    object: z.literal("chat.completion.chunk"),
    created: count,
    model: z.string(),
    choices: z.array(
      z.object({
        index: count,
        delta: z.object({ role: z.literal("assistant").optional(), content: z.string().optional() }),
        logprobs: z.null(),
        finish_reason: finishReason.nullable(),
      }),
    ),
    usage: CompletionUsage.nullable().optional(),
  })
  .meta({ id: "ChatCompletionChunk" });
