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

export const ResponseUsage = z
  .object({
    input_tokens: count,
    input_tokens_details: z.object({ cached_tokens: count, cache_write_tokens: count }),
    output_tokens: count,
    output_tokens_details: z.object({ reasoning_tokens: count }),
    total_tokens: count,
  })
  .meta({ id: "ResponseUsage", description: "Absent where the provider reports none" });

const OutputText = z.object({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(z.never()),
});

const OutputMessage = z.object({
  id: z.string(),
  type: z.literal("message"),
  role: z.literal("assistant"),
  status: z.enum(["in_progress", "completed", "incomplete"]),
  content: z.array(OutputText),
});

export const OpenaiResponse = z
  .object({
    id: z.string(),
    object: z.literal("response"),
    created_at: count,
    model: z.string().meta({ description: "The model as the call named it" }),
    status: z.enum(["in_progress", "completed", "incomplete", "failed", "cancelled"]),
    error: z
      .object({ code: z.enum(["server_error", "rate_limit_exceeded", "invalid_prompt"]), message: z.string() })
      .nullable(),
    incomplete_details: z.object({ reason: z.enum(["max_output_tokens", "content_filter"]) }).nullable(),
    instructions: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    output: z.array(OutputMessage),
    previous_response_id: z.string().nullable(),
    conversation: z
      .object({ id: z.string() })
      .optional()
      .meta({ description: "The session, if the response is stored" }),
    max_output_tokens: count.nullable(),
    temperature: z.number().nullable(),
    top_p: z.number().nullable(),
    store: z.boolean(),
    parallel_tool_calls: z.literal(false),
    tool_choice: z.literal("none"),
    tools: z.array(z.never()),
    text: z.object({ format: z.object({ type: z.literal("text") }) }),
    truncation: z.literal("disabled"),
    usage: ResponseUsage.optional(),
  })
  .meta({ id: "OpenaiResponse" });

export const DeletedResponse = z
  .object({ id: z.string(), object: z.literal("response"), deleted: z.literal(true) })
  .meta({ id: "DeletedResponse" });
