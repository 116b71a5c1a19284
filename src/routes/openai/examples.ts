/** Examples of what OpenAI's API answers, for the OpenAPI document. */
import type * as z from "zod";
import type { ChatCompletion, ChatCompletionChunk, Model, OpenaiResponse } from "./response-schemas.ts";

const created = 1_710_448_307;

export const model: z.output<typeof Model> = {
  id: "chatbot:65f3a1b2c4d5e6f708192a3b",
  object: "model",
  created,
  owned_by: "openai-connector",
  name: "Support",
};

export const completion: z.output<typeof ChatCompletion> = {
  id: "chatcmpl-6b7c1c0e6f5b4d7a9c3d2e1f0a9b8c7d",
  object: "chat.completion",
  created,
  model: "echo",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "Hello", refusal: null },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

type Chunk = z.output<typeof ChatCompletionChunk>;

const chunk = (delta: Chunk["choices"][number]["delta"], finish_reason: string | null): Chunk => ({
  id: completion.id,
  object: "chat.completion.chunk",
  created,
  model: "echo",
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
});

export const completionStream = [
  ...[chunk({ role: "assistant", content: "" }, null), chunk({ content: "Hello" }, null), chunk({}, "stop")].map(
    (one) => JSON.stringify(one),
  ),
  "[DONE]",
]
  .map((data) => `data: ${data}\n\n`)
  .join("");

export const response: z.output<typeof OpenaiResponse> = {
  id: "resp_6b7c1c0e6f5b4d7a9c3d2e1f0a9b8c7d",
  object: "response",
  created_at: created,
  model: "echo",
  status: "completed",
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  output: [
    {
      id: "msg_6b7c1c0e6f5b4d7a9c3d2e1f0a9b8c7d",
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: "Hello", annotations: [], logprobs: [] }],
    },
  ],
  previous_response_id: null,
  max_output_tokens: null,
  temperature: null,
  top_p: null,
  store: false,
  parallel_tool_calls: false,
  tool_choice: "none",
  tools: [],
  text: { format: { type: "text" } },
  truncation: "disabled",
  usage: {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2,
  },
};

const delta = {
  type: "response.output_text.delta",
  sequence_number: 4,
  item_id: response.output[0]?.id,
  output_index: 0,
  content_index: 0,
  delta: "Hell",
  logprobs: [],
};

/** One event of its stream. */
export const responseStream = `event: ${delta.type}\ndata: ${JSON.stringify(delta)}\n\n`;
