/** What turns read from replicas, while these have no row yet: they are slow, or everything is new. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { get, post, put } from "../../support/api.ts";
import { createComparison, createEndpoint, createSession } from "../../support/create.ts";

const session = Object.getPrototypeOf(env.DB.withSession("first-primary")) as D1DatabaseSession;

type Prepare = (this: D1DatabaseSession, sql: string) => D1PreparedStatement;

let time = 0;
/** What was prepared for replicas. */
let prepared: string[] = [];

beforeEach(() => {
  time = Math.max(time, Date.now());
  prepared = [];
  vi.spyOn(Date, "now").mockImplementation(() => time);
  const prepare: Prepare = Reflect.get(session, "prepare");
  vi.spyOn(session, "prepare").mockImplementation(function (this: D1DatabaseSession, sql) {
    prepared.push(sql);
    return prepare.call(this, `select * from (${sql}) where false`);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** After it, the isolate that has made a change reads from replicas again. */
const letChangesAge = (): void => void (time += 10_000);

const chat = (id: string) => post(`/sessions/chat?sessionId=${id}`, { content: "hi" });

it("a chat and a read find in the primary what a replica lacks", async () => {
  const id = await createSession();
  letChangesAge();
  expect((await chat(id)).body.data.content).toBe("hi");
  expect(prepared).toEqual([expect.stringContaining("chatbots")]);
  time += 2_000;
  expect((await get(`/sessions/${id}`)).body.data.clientId.name).toMatch(/^client/);
});

it("a prompt does", async () => {
  const name = `template-${crypto.randomUUID()}`;
  await post("/v1/prompt_templates", { name, description: "", template: "Say {{ prompt }}" });
  const { session_id: id, chat_ids } = await createComparison([await createEndpoint()], { prompt_template: name });
  letChangesAge();
  const { body } = await post(`/v1/sessions/${id}/prompt`, { prompt: "hi" });
  expect(body[chat_ids[0]][0].predicted_result).toBe("Say hi");
  expect(prepared.filter((sql) => sql.includes("prompt_templates"))).toHaveLength(1);
});

it("what was changed here is not read from a replica", async () => {
  const endpoint = await createEndpoint();
  const { session_id: id } = await createComparison([endpoint]);
  await put(`/v1/llm_endpoints/${endpoint}`, { params: { pre_prompt: "New" } });
  time += 1;
  const { body } = await post(`/v1/sessions/${id}/prompt`, { prompt: "hi" });
  expect(JSON.stringify(body)).toContain("New");
  expect(prepared).toEqual([]);
});
