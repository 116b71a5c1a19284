const chats = ["openaigpt35turbotest1_20240315_043147", "openaigpt4test1_20240315_043147"] as const;

export const create = {
  name: "TestSession1",
  description: "Test 1",
  endpoints: ["openaigpt35turbotest1", "openaigpt4test1"],
};

export const session = {
  session_id: "testsession1_20240315-043147",
  name: "TestSession1",
  description: "Test 1",
  created_epoch: 1710448307.051328,
  created_datetime: "20240315-043147",
  chat_ids: chats,
  endpoints: create.endpoints,
  prompt_template: null,
  context_strategy: null,
  filename: null,
  chat_history: null,
};

export const one = { session };
export const list = [session];
export const withHistory = { session: { ...session, chat_history: { [chats[0]]: [], [chats[1]]: [] } } };

export const prompt = { prompt: "Hello World" };

const record = {
  chat_record_id: 1,
  conn_id: "openaigpt35turbotest1",
  context_strategy: "",
  prompt_template: "",
  prompt: "Hello World",
  prepared_prompt: "Hello World",
  predicted_result: "Hello! How can I help you today?",
  duration: "1.04 secs",
  prompt_time: "03/15/2024, 04:42:02",
  status: "ok",
  error: null,
  partial_result: null,
  finish_reason: "stop",
  model: "gpt-3.5-turbo-0125",
  usage: { input_tokens: 9, output_tokens: 9 },
  duration_ms: 1040,
  ttft_ms: 412,
  attempts: 1,
  provider_request_id: "req_0123456789",
};

export const history = {
  [chats[0]]: [record],
  [chats[1]]: [{ ...record, conn_id: "openaigpt4test1", model: "gpt-4-0613" }],
};

export const endpoint = {
  name: "OpenAI GPT-4.1 mini",
  connector_type: "openai-connector",
  uri: "https://api.openai.com/v1",
  token: "env:PROVIDER_OPENAI",
  model: "gpt-4.1-mini",
  params: { temperature: 0 },
};

export const promptTemplate = {
  name: "mcq",
  description: "Asks for one letter",
  template: "{{ prompt }}\nAnswer with one letter.",
};
