/**
 * Answers and chunks against OpenAI's own types: what the compiler compares is in the functions that take our answers for
 * OpenAI's, and what real answers have is compared with what the types require.
 */
import type OpenAI from "openai";
import type * as Responses from "openai/resources/responses/responses";
import { beforeAll, expect, it } from "vitest";
import type * as z from "zod";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  DeletedResponse,
  Model,
  Models,
  OpenaiResponse,
} from "../../../src/routes/openai/response-schemas.ts";
import { del, get, post } from "../../support/api.ts";
import { createEndpoint } from "../../support/create.ts";
import { endpointPlaying } from "../../support/openai.ts";

/** As JSON has it: a field is there or not, and never `undefined`. */
type Json<T> = T extends readonly (infer Item)[]
  ? Json<Item>[]
  : T extends object
    ? { [Key in keyof T]: Json<Exclude<T[Key], undefined>> }
    : T;

type Answer<Schema extends z.ZodType> = Json<z.output<Schema>>;
type Reason = OpenAI.ChatCompletion.Choice["finish_reason"];

/** `output_text` is made by OpenAI's package, and is not in answers. */
type BareResponse = Omit<Responses.Response, "output_text">;

/** A reason that OpenAI's API does not have is passed on as it is, so the reason alone is wider than its type. */
const withReason = <Choice extends { finish_reason: string | null }>(choice: Choice) => ({
  ...choice,
  finish_reason: choice.finish_reason as Reason,
});

const asModel = (model: Answer<typeof Model>): OpenAI.Model => model;
const asModels = (list: Answer<typeof Models>): { object: "list"; data: OpenAI.Model[] } => list;
const asCompletion = (answer: Answer<typeof ChatCompletion>): OpenAI.ChatCompletion => ({
  ...answer,
  choices: answer.choices.map(withReason),
});
const asChunk = (chunk: Answer<typeof ChatCompletionChunk>): OpenAI.ChatCompletionChunk => ({
  ...chunk,
  choices: chunk.choices.map(withReason),
});
const asResponse = (answer: Answer<typeof OpenaiResponse>): BareResponse => answer;
const asDeleted = (answer: Answer<typeof DeletedResponse>): { id: string; deleted: boolean } => answer;

/** The fields that a type requires. The compiler wants every one of them here, and no other. */
type Required<T> = { [Key in keyof T as object extends Pick<T, Key> ? never : Key]: true };

const MODEL: Required<OpenAI.Model> = { id: true, object: true, created: true, owned_by: true };
const COMPLETION: Required<OpenAI.ChatCompletion> = {
  id: true,
  object: true,
  created: true,
  model: true,
  choices: true,
};
const CHOICE: Required<OpenAI.ChatCompletion.Choice> = {
  index: true,
  message: true,
  logprobs: true,
  finish_reason: true,
};
const MESSAGE: Required<OpenAI.ChatCompletionMessage> = { role: true, content: true, refusal: true };
const CHUNK_CHOICE: Required<OpenAI.ChatCompletionChunk.Choice> = { index: true, delta: true, finish_reason: true };
const USAGE: Required<OpenAI.CompletionUsage> = { prompt_tokens: true, completion_tokens: true, total_tokens: true };
const RESPONSE: Required<BareResponse> = {
  id: true,
  object: true,
  created_at: true,
  error: true,
  incomplete_details: true,
  instructions: true,
  metadata: true,
  model: true,
  output: true,
  parallel_tool_calls: true,
  temperature: true,
  tool_choice: true,
  tools: true,
  top_p: true,
};
const OUTPUT: Required<Responses.ResponseOutputMessage> = {
  id: true,
  type: true,
  role: true,
  status: true,
  content: true,
};
const TEXT: Required<Responses.ResponseOutputText> = { type: true, text: true, annotations: true };
const RESPONSE_USAGE: Required<Responses.ResponseUsage> = {
  input_tokens: true,
  input_tokens_details: true,
  output_tokens: true,
  output_tokens_details: true,
  total_tokens: true,
};

const INPUT: Required<Responses.ResponseUsage.InputTokensDetails> = { cached_tokens: true, cache_write_tokens: true };
const OUTPUT_DETAILS: Required<Responses.ResponseUsage.OutputTokensDetails> = { reasoning_tokens: true };

type EventOf<Type> = Extract<Responses.ResponseStreamEvent, { type: Type }>;

const ENDING: Required<EventOf<"response.completed">> = { type: true, sequence_number: true, response: true };
const ITEM: Required<EventOf<"response.output_item.added">> = {
  type: true,
  sequence_number: true,
  output_index: true,
  item: true,
};
const PART: Required<EventOf<"response.content_part.added">> = {
  type: true,
  sequence_number: true,
  item_id: true,
  output_index: true,
  content_index: true,
  part: true,
};
const DELTA: Required<EventOf<"response.output_text.delta">> = {
  type: true,
  sequence_number: true,
  item_id: true,
  output_index: true,
  content_index: true,
  delta: true,
  logprobs: true,
};
const { delta: _delta, ...PLACE } = DELTA;
const DONE: Required<EventOf<"response.output_text.done">> = { ...PLACE, text: true };

const EVENTS: Partial<Record<Responses.ResponseStreamEvent["type"], object>> = {
  "response.created": ENDING,
  "response.in_progress": ENDING,
  "response.output_item.added": ITEM,
  "response.content_part.added": PART,
  "response.output_text.delta": DELTA,
  "response.output_text.done": DONE,
  "response.content_part.done": PART,
  "response.output_item.done": ITEM,
  "response.completed": ENDING,
  "response.incomplete": ENDING,
  "response.failed": ENDING,
};

const REASONS: Reason[] = ["stop", "length", "content_filter", "tool_calls", "function_call"];
const STATUSES: Responses.ResponseStatus[] = [
  "completed",
  "failed",
  "in_progress",
  "cancelled",
  "queued",
  "incomplete",
];

const expectFields = (value: unknown, required: object): void =>
  expect(Object.keys(value as object)).toEqual(expect.arrayContaining(Object.keys(required)));

/** The JSON of an event or a chunk. */
interface Event {
  type?: Responses.ResponseStreamEvent["type"];
  response?: Answer<typeof OpenaiResponse>;
}

/** The JSON of a stream's events. */
async function streamOf(path: string, body: object): Promise<Event[]> {
  const { body: text } = await post(path, body);
  return [...String(text).matchAll(/^data: (\{.*)$/gm)].map(([, json = ""]) => JSON.parse(json) as Event);
}

const messages = [{ role: "user", content: "Hello" }];
let echo = "";

beforeAll(async () => {
  echo = await createEndpoint();
});

it("models have what OpenAI's type requires", async () => {
  const list = asModels((await get("/openai/v1/models")).body);
  for (const model of list.data) expectFields(model, MODEL);
  expectFields(asModel((await get(`/openai/v1/models/${echo}`)).body), MODEL);
});

it.each(["hello", "length", "filtered", "tool-call"])(
  "completions of the scene %s do, whole and streamed",
  async (scene) => {
    const { id: model } = await endpointPlaying(scene);
    const completion = asCompletion((await post("/openai/v1/chat/completions", { model, messages })).body);
    expectFields(completion, COMPLETION);
    const [choice] = completion.choices;
    expectFields(choice, CHOICE);
    expectFields(choice?.message, MESSAGE);
    expect(REASONS).toContain(choice?.finish_reason);
    if (completion.usage) expectFields(completion.usage, USAGE);
    const body = { model, messages, stream: true, stream_options: { include_usage: true } };
    const chunks = (await streamOf("/openai/v1/chat/completions", body)).map((chunk) =>
      asChunk(chunk as unknown as Answer<typeof ChatCompletionChunk>),
    );
    for (const chunk of chunks) {
      expectFields(chunk, COMPLETION);
      expect(chunk.object).toBe("chat.completion.chunk");
      for (const one of chunk.choices) {
        expectFields(one, CHUNK_CHOICE);
        expect([...REASONS, null]).toContain(one.finish_reason);
      }
      if (chunk.usage) expectFields(chunk.usage, USAGE);
    }
  },
);

it.each(["hello", "length", "filtered", "in-band-error"])(
  "responses of the scene %s do, whole and streamed",
  async (scene) => {
    const { id: model } = await endpointPlaying(scene, { params: { max_attempts: 1 } });
    const { status, body } = await post("/openai/v1/responses", { model, input: "Hello", store: false });
    if (status === 200) expectResponse(body);
    const events = await streamOf("/openai/v1/responses", { model, input: "Hello", store: false, stream: true });
    for (const event of events) {
      const required = EVENTS[event["type"] as Responses.ResponseStreamEvent["type"]];
      expect(required, event["type"]).toBeDefined();
      expectFields(event, required ?? {});
      if (event["response"] !== undefined) expectResponse(event["response"]);
    }
  },
);

it("stored responses do: read, cancelled, deleted", async () => {
  const { body } = await post("/openai/v1/responses", { model: echo, input: "Hello" });
  expectResponse(body);
  expectResponse((await get(`/openai/v1/responses/${body.id}`)).body);
  expectResponse((await post(`/openai/v1/responses/${body.id}/cancel`)).body);
  const deleted = asDeleted((await del(`/openai/v1/responses/${body.id}`)).body);
  expect(deleted).toMatchObject({ id: body.id, deleted: true });
});

function expectResponse(answer: Answer<typeof OpenaiResponse>): void {
  const response = asResponse(answer);
  expectFields(response, RESPONSE);
  expect(STATUSES).toContain(response.status);
  if (response.usage) {
    expectFields(response.usage, RESPONSE_USAGE);
    expectFields(response.usage.input_tokens_details, INPUT);
    expectFields(response.usage.output_tokens_details, OUTPUT_DETAILS);
  }
  for (const item of response.output) {
    expectFields(item, OUTPUT);
    if (item.type === "message") for (const part of item.content) expectFields(part, TEXT);
  }
}
