/** How old the records may be that turns and answers use, and what is used at once where it was changed. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createEndpoint,
  createSession,
  unique,
} from "../../support/create.ts";

let time = 0;

beforeEach(() => {
  time = Math.max(time, Date.now());
  vi.spyOn(Date, "now").mockImplementation(() => time);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const sqlOf = (text: string, ...values: unknown[]) =>
  env.DB.prepare(text)
    .bind(...values)
    .run();
const chat = (id: string) => post(`/sessions/chat?sessionId=${id}`, { content: "hi" });
const contentOf = async (id: string): Promise<string> => (await chat(id)).body.data.content;
const prompt = async (id: string): Promise<string> => {
  const { body } = await post(`/v1/sessions/${id}/prompt`, { prompt: "hi" });
  return (Object.values(body)[0] as { predicted_result: string }[]).at(-1)?.predicted_result ?? "";
};

describe("what another isolate has changed", () => {
  it("is used by chats after two seconds: the endpoint", async () => {
    const endpointId = await createEndpoint();
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    time += 1;
    await chat(id);
    await sqlOf(`update endpoints set params = '{"pre_prompt": "New"}' where id = ?`, endpointId);
    time += 999;
    expect(await contentOf(id)).toBe("hi");
    time += 1_001;
    expect(await contentOf(id)).toMatch(/^New/);
  });

  it("is used by prompts after two seconds: the template", async () => {
    const name = unique("template");
    await post("/v1/prompt_templates", { name, description: "", template: "Old {{ prompt }}" });
    const { session_id: id } = await createComparison([await createEndpoint()], { prompt_template: name });
    time += 1;
    await prompt(id);
    await sqlOf("update prompt_templates set template = 'New {{ prompt }}' where name = ?", name);
    time += 999;
    expect(await prompt(id)).toBe("Old hi");
    time += 1_001;
    expect(await prompt(id)).toBe("New hi");
  });

  it("is shown after two seconds: the client's name", async () => {
    const clientId = await createClient({ name: "Old" });
    const id = await createSession({ clientId });
    time += 1;
    const nameShown = async () => (await get(`/sessions/${id}`)).body.data.clientId.name;
    await nameShown();
    await sqlOf("update clients set name = 'New' where id = ?", clientId);
    time += 1_999;
    expect(await nameShown()).toBe("Old");
    time += 1;
    expect(await nameShown()).toBe("New");
  });

  it("is read in the background by whoever uses it after a second, and used then", async () => {
    const endpointId = await createEndpoint();
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    time += 1;
    await chat(id);
    await sqlOf(`update endpoints set params = '{"pre_prompt": "New"}' where id = ?`, endpointId);
    time += 1_000;
    expect(await contentOf(id)).toBe("hi");
    await vi.waitFor(async () => expect(await contentOf(id)).toMatch(/^New/));
    const clientId = await createClient({ name: "Old" });
    const shown = await createSession({ clientId });
    time += 1;
    const nameShown = async () => (await get(`/sessions/${shown}`)).body.data.clientId.name;
    await nameShown();
    await sqlOf("update clients set name = 'New' where id = ?", clientId);
    time += 1_000;
    expect(await nameShown()).toBe("Old");
    await vi.waitFor(async () => expect(await nameShown()).toBe("New"));
  });
});

describe("what was changed in this isolate is used at once", () => {
  it("an endpoint, a chatbot, a client, a template", async () => {
    const [endpointId, clientId] = [await createEndpoint(), await createClient()];
    const chatbotId = await createChatbot({ endpointId });
    const id = await createSession({ chatbotId, clientId });
    const name = unique("template");
    await post("/v1/prompt_templates", { name, description: "", template: "Old {{ prompt }}" });
    const { session_id: comparison } = await createComparison([endpointId], { prompt_template: name });
    time += 1;
    await chat(id);
    await prompt(comparison);
    await get(`/sessions/${id}`);
    await put(`/v1/llm_endpoints/${endpointId}`, { params: { pre_prompt: "New" } });
    expect(await contentOf(id)).toMatch(/^New/);
    await put(`/chatbots/${chatbotId}`, { name: "Renamed bot" });
    await put(`/clients/${clientId}`, { name: "Renamed client" });
    expect((await get(`/sessions/${id}`)).body.data).toMatchObject({
      chatbotId: { name: "Renamed bot" },
      clientId: { name: "Renamed client" },
    });
    expect(await prompt(comparison)).toMatch(/^New.*Old hi/s);
  });

  it("a client by its externalId", async () => {
    const externalId = crypto.randomUUID();
    const clientId = await createClient({ externalId });
    const id = await createSession({ clientId });
    const nameShown = async () => (await get(`/sessions/${id}`)).body.data.clientId.name;
    for (const name of ["One", "Two"]) {
      time += 1;
      await nameShown();
      await put(`/clients/by-external-id/${externalId}`, { name });
      expect(await nameShown()).toBe(name);
    }
    await put(`/clients/by-external-id/${externalId}`, { email: "a@example.com" });
    expect((await get(`/sessions/${id}`)).body.data.clientId.email).toBe("a@example.com");
  });

  it("an endpoint that was deleted, or created again", async () => {
    const name = unique("again");
    const endpoint = await createEndpoint({ name });
    const { session_id: id } = await createComparison([endpoint]);
    time += 1;
    expect(await prompt(id)).toBe("hi");
    await del(`/v1/llm_endpoints/${endpoint}`);
    time += 1;
    expect(await prompt(id)).toContain("endpoint");
    await createEndpoint({ name });
    expect(await prompt(id)).toBe("hi");
  });
});

it("a session that was opened again in its object asks anew for its client and its chatbot", async () => {
  const [clientId, chatbotId] = [await createClient(), await createChatbot()];
  const id = await createSession({ clientId, chatbotId });
  // A key keeps the ended session in its object for a day.
  await post(
    `/sessions/message?sessionId=${id}`,
    { message: { role: "user", content: "a" } },
    {
      headers: { "idempotency-key": "kept" },
    },
  );
  await post(`/sessions/${id}/end`);
  expect(
    await runInDurableObject(env.SESSIONS.getByName(id), (_, { storage }) => storage.sql.databaseSize),
  ).toBeGreaterThan(0);
  await sqlOf("update clients set deleted_at = 1 where id = ?", clientId);
  // Another session of the chatbot is in use, so that only the client is not known.
  time += 11_000;
  await put(`/sessions/${id}`, { status: "ACTIVE" });
  await get(`/sessions/${await createSession({ chatbotId })}`);
  expect((await chat(id)).status).toBe(404);
});
