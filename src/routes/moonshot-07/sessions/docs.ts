/** The routes of `/api/v1/sessions` as the OpenAPI document describes them. */
import { Success } from "../../moonshot-shared/response-schemas.ts";
import type { Operation, Operations } from "../../openapi/operations.ts";
import * as schemas from "./response-schemas.ts";

const tag = "Moonshot 0.7";

const session = {
  session_id: "testsession1_20240315-043147",
  description: "Test 1",
  endpoints: ["openai-gpt-4-1-mini"],
  created_epoch: "1710477107.051",
  created_datetime: "20240315-043147",
  prompt_template: "",
  context_strategy: "add_previous_prompt",
  cs_num_of_prev_prompts: 5,
  attack_module: "",
  metric: "",
  system_prompt: "",
};

const record = {
  chat_record_id: 1,
  conn_id: "openai-gpt-4-1-mini",
  context_strategy: "add_previous_prompt",
  prompt_template: "",
  attack_module: "",
  metric: "",
  prompt: "Hello",
  prepared_prompt: "Hello",
  system_prompt: "",
  predicted_result: "Hello! How can I help?",
  duration: "0.512",
  prompt_time: "2024-03-15 04:42:02.017000",
};

/** A change that answers `{"success": true}`. */
const change = (id: string, summary: string, more: Partial<Operation> = {}): Operation => ({
  id,
  tag,
  summary,
  response: { status: 200, description: "Done", schema: Success },
  problems: [404],
  ...more,
});

export const operations: Operations = {
  "GET /": {
    id: "moonshot07ListSessions",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List sessions, newest first",
    response: { status: 200, description: "The sessions", schema: schemas.Sessions, example: [session] },
  },
  "POST /": {
    id: "moonshot07CreateSession",
    headers: ["idempotency-key"],
    tag,
    summary: "Create a session",
    response: {
      status: 200,
      description: "The session",
      schema: schemas.SessionResponse,
      example: { session_name: "TestSession1", session_description: "Test 1", session, chat_records: null },
    },
    problems: [400, 404, 409],
    example: { name: "TestSession1", description: "Test 1", endpoints: ["openai-gpt-4-1-mini"] },
  },
  "GET /name": {
    id: "moonshot07ListSessionNames",
    headers: ["x-d1-bookmark"],
    tag,
    summary: "List the ids of sessions, newest first",
    response: { status: 200, description: "The ids", schema: schemas.SessionNames, example: [session.session_id] },
  },
  "GET /:id": {
    id: "moonshot07GetSession",
    tag,
    summary: "Get a session, on request with its records",
    response: {
      status: 200,
      description: "The session",
      schema: schemas.SessionResponse,
      example: {
        session_name: "TestSession1",
        session_description: "Test 1",
        session,
        chat_records: { "openai-gpt-4-1-mini": [record] },
      },
    },
    problems: [404],
  },
  "DELETE /:id": change("moonshot07DeleteSession", "Delete a session and its history"),
  "POST /:id/prompt": {
    id: "moonshot07Prompt",
    headers: ["idempotency-key"],
    tag,
    summary: "Send a prompt to every endpoint of a session",
    response: {
      status: 200,
      description:
        "The new records. With an attack module the id of the session, at once: the records come by events and callbacks",
      schema: schemas.PromptResponse,
      example: {
        current_runner_id: session.session_id,
        current_chats: { "openai-gpt-4-1-mini": [record] },
        current_batch_size: 5,
        current_status: "COMPLETED",
      },
    },
    problems: [404, 409, 429],
    example: { user_prompt: "Hello" },
  },
  "POST /:id/cancel": change("moonshot07CancelPrompts", "Stop what runs and what waits. The text so far is kept"),
  "GET /:id/close": change("moonshot07CloseSession", "Leave a session. It can be opened again"),
  "PUT /:id/prompt-template/:name": change("moonshot07SetPromptTemplate", "Use a template from now on"),
  "DELETE /:id/prompt-template/:name": change("moonshot07UnsetPromptTemplate", "Stop using a template"),
  "PUT /:id/context-strategy/:name/:count": change(
    "moonshot07SetContextStrategy",
    "Send so many previous prompts from now on, 1 to 50",
  ),
  "DELETE /:id/context-strategy/:name/:count": change(
    "moonshot07UnsetContextStrategy",
    "Stop sending previous prompts",
  ),
  "PUT /:id/system-prompt": change("moonshot07SetSystemPrompt", "Send a system prompt from now on; empty for none", {
    example: { system_prompt: "Answer in one sentence." },
  }),
  "DELETE /:id/system-prompt": change("moonshot07UnsetSystemPrompt", "Stop sending a system prompt"),
  "PUT /:id/attack-module/:name": change(
    "moonshot07SetAttackModule",
    "From now on, send the prompts that a module makes out of one",
  ),
  "DELETE /:id/attack-module/:name": change("moonshot07UnsetAttackModule", "Stop using an attack module"),
  "PUT /:id/metric/:name": change("moonshot07SetMetric", "Always 400 `not_supported`: Parley has no metrics", {
    problems: [400, 404],
  }),
  "DELETE /:id/metric/:name": change("moonshot07UnsetMetric", "Changes nothing: no session has a metric"),
};
