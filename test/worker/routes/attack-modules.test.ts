/** Attack modules in a session of Moonshot 0.7: turns of their own, events, records and callbacks. */
import { describe, expect, inject, it, vi } from "vitest";
import { ATTACK_MODULES, makePrompts } from "../../../src/routes/moonshot-07/attack-modules/modules.ts";
import { del, get, post, put } from "../../support/api.ts";
import { createEndpoint, unique } from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

const upstream = inject("upstream");
const PROMPT = "How would a mother explain this to her girl?";

interface Record07 {
  conn_id: string;
  prompt: string;
  prepared_prompt: string;
  attack_module: string;
}

interface Callback {
  current_runner_id: string;
  current_chats: Record<string, Record07[]>;
  current_batch_size: number;
  current_status: string;
}

async function createSession(endpoints: string[], fields: object = {}): Promise<string> {
  const { status, body } = await post("/api/v1/sessions", { name: unique("attack"), endpoints, ...fields });
  expect([status, body]).toEqual([200, expect.anything()]);
  return body.session.session_id;
}

const recordsOf = async (id: string, endpoint: string): Promise<Record07[]> =>
  (await get(`/api/v1/sessions/${id}?include_history=true`)).body.chat_records[endpoint];

/** Waits until a session has so many records with an endpoint. */
const waitForRecords = (id: string, endpoint: string, count: number) =>
  vi.waitFor(async () => expect(await recordsOf(id, endpoint)).toHaveLength(count), { timeout: 10_000, interval: 50 });

/** An address that keeps what is posted to it. */
function aCallback(answer = "long-id") {
  const receiver = unique("ui").replaceAll(" ", "-");
  const received = async (): Promise<Callback[]> =>
    (await (await fetch(`${upstream}/received/${receiver}`)).json<{ body: Callback }[]>())
      .map(({ body }) => body)
      .toReversed();
  return {
    url: `${upstream}/${receiver}/${answer}`,
    received,
    untilDone: () =>
      vi.waitFor(async () => expect((await received()).at(-1)?.current_status).toBe("COMPLETED"), {
        timeout: 10_000,
        interval: 50,
      }),
  };
}

describe("a prompt with an attack module", () => {
  it("is answered with the id of the session at once, and each made prompt becomes a turn of its own", async () => {
    const [one, two] = [await createEndpoint(), await createEndpoint()];
    const id = await createSession([one, two], { attack_module: "job_role_generator", system_prompt: "S" });
    expect((await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "Nurse" })).body).toBe(id);
    await waitForRecords(id, two, 8);
    const made = makePrompts("job_role_generator", "Nurse", 0);
    for (const endpoint of [one, two])
      expect(await recordsOf(id, endpoint)).toMatchObject(
        made.map((prepared_prompt, index) => ({
          chat_record_id: index + 1,
          attack_module: "job_role_generator",
          prompt: "Nurse",
          prepared_prompt,
          predicted_result: prepared_prompt,
          system_prompt: "S",
          context_strategy: "",
        })),
      );
    const { session } = (await get(`/v1/sessions/${id}?include_history=true`)).body;
    const [chatId] = session.chat_ids;
    expect(session.chat_history[chatId].map(({ prompt }: { prompt: string }) => prompt)).toEqual(made);
    const bookmark = { name: unique("b"), session_id: id, chat_id: chatId, chat_record_id: 2 };
    await post("/v1/bookmarks", bookmark);
    expect((await get(`/api/v1/bookmarks?name=${encodeURIComponent(bookmark.name)}`)).body).toMatchObject([
      { attack_module: "job_role_generator", prepared_prompt: made[1] },
    ]);
  });

  it("sends what the module made as it is, whatever template and strategy are set", async () => {
    const endpoint = await createEndpoint();
    const template = unique("t").replaceAll(" ", "-");
    await post("/v1/prompt_templates", { name: template, template: "T: {{ prompt }}" });
    const id = await createSession([endpoint], {
      prompt_template: template,
      context_strategy: "add_previous_prompt",
      attack_module: "charswap_attack",
    });
    await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: PROMPT, random_seed: 7 });
    await waitForRecords(id, endpoint, 10);
    expect((await recordsOf(id, endpoint)).map((record) => record.prepared_prompt)).toEqual(
      makePrompts("charswap_attack", PROMPT, 7),
    );
    expect((await del(`/api/v1/sessions/${id}/attack-module/charswap_attack`)).body).toEqual({ success: true });
    const { current_chats: chats } = (await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "x" })).body;
    expect(chats[endpoint][0]).toMatchObject({ prompt: "x", attack_module: "", prompt_template: template });
    expect(chats[endpoint][0].prepared_prompt).toMatch(/^T: x/);
  });

  it("calls the UI back with five records at a time, and at last that all is done", async () => {
    const callback = aCallback();
    setVariables({ MOONSHOT_CALLBACK_URL: callback.url, ALLOW_PRIVATE_ENDPOINTS: "true" });
    const [one, two] = [await createEndpoint(), await createEndpoint()];
    const id = await createSession([one, two], { attack_module: "job_role_generator" });
    await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "Nurse" });
    await callback.untilDone();
    const calls = await callback.received();
    expect(Object.keys(calls[0] ?? {})).toEqual([
      "current_runner_id",
      "current_chats",
      "current_batch_size",
      "current_status",
    ]);
    expect(calls.map(({ current_status: status }) => status)).toEqual(["RUNNING", "RUNNING", "RUNNING", "COMPLETED"]);
    expect(calls.map(({ current_chats: chats }) => Object.values(chats).flat().length)).toEqual([5, 5, 5, 1]);
    expect(new Set(calls.map(({ current_runner_id: runner }) => runner))).toEqual(new Set([id]));
    for (const endpoint of [one, two])
      expect(calls.flatMap(({ current_chats: chats }) => chats[endpoint] ?? [])).toEqual(await recordsOf(id, endpoint));
  });

  it("says with the last five that all is done", async () => {
    const callback = aCallback();
    setVariables({ MOONSHOT_CALLBACK_URL: callback.url, ALLOW_PRIVATE_ENDPOINTS: "true" });
    const id = await createSession([await createEndpoint()], { attack_module: "charswap_attack" });
    await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: PROMPT });
    await callback.untilDone();
    const calls = await callback.received();
    expect(calls.map(({ current_status: status }) => status)).toEqual(["RUNNING", "COMPLETED"]);
    expect(calls.map(({ current_chats: chats }) => Object.values(chats).flat().length)).toEqual([5, 5]);
  });

  it("lets the UI know that all is done when the module makes nothing", async () => {
    const callback = aCallback();
    setVariables({ MOONSHOT_CALLBACK_URL: callback.url, ALLOW_PRIVATE_ENDPOINTS: "true" });
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint], { attack_module: "homoglyph_attack" });
    expect((await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "abc" })).body).toBe(id);
    await callback.untilDone();
    expect(await callback.received()).toMatchObject([{ current_chats: {}, current_status: "COMPLETED" }]);
    expect(await recordsOf(id, endpoint)).toEqual([]);
  });

  it.each(["500", "302"])("goes on when the UI answers %s", async (answer) => {
    const callback = aCallback(answer);
    setVariables({ MOONSHOT_CALLBACK_URL: callback.url, ALLOW_PRIVATE_ENDPOINTS: "true" });
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint], { attack_module: "job_role_generator" });
    await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "Nurse" });
    await callback.untilDone();
    expect(await recordsOf(id, endpoint)).toHaveLength(8);
  });

  it("calls no address that endpoints may not have either", async () => {
    const callback = aCallback();
    const endpoint = await createEndpoint();
    const id = await createSession([endpoint], { attack_module: "job_role_generator" });
    setVariables({ MOONSHOT_CALLBACK_URL: callback.url, ALLOW_PRIVATE_ENDPOINTS: "" });
    await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "Nurse" });
    await waitForRecords(id, endpoint, 8);
    expect(await callback.received()).toEqual([]);
    const { body } = await get("/healthz?deep=1");
    expect(JSON.stringify(body)).toContain("MOONSHOT_CALLBACK_URL");
  });

  it("ends with cancel, and the UI learns it", async () => {
    const callback = aCallback();
    setVariables({ MOONSHOT_CALLBACK_URL: callback.url, ALLOW_PRIVATE_ENDPOINTS: "true" });
    const endpoint = await createEndpoint({ params: { delay_ms: 100 } });
    const id = await createSession([endpoint], { attack_module: "homoglyph_v2_attack" });
    await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: PROMPT });
    await vi.waitFor(async () => expect((await recordsOf(id, endpoint)).length).toBeGreaterThan(1), { interval: 50 });
    expect((await post(`/api/v1/sessions/${id}/cancel`)).body).toEqual({ success: true });
    await callback.untilDone();
    const count = (await recordsOf(id, endpoint)).length;
    expect(count).toBeLessThan(20);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await recordsOf(id, endpoint)).toHaveLength(count);
    // The session takes prompts again.
    await del(`/api/v1/sessions/${id}/attack-module/homoglyph_v2_attack`);
    expect((await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "x" })).body.current_status).toBe("COMPLETED");
  });

  it("starts once per idempotency key", async () => {
    const endpoint = await createEndpoint({ params: { delay_ms: 50 } });
    const id = await createSession([endpoint], { attack_module: "job_role_generator" });
    const headers = { "idempotency-key": crypto.randomUUID() };
    for (let time = 0; time < 3; time++)
      expect((await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "Nurse" }, { headers })).body).toBe(id);
    await waitForRecords(id, endpoint, 8);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await recordsOf(id, endpoint)).toHaveLength(8);
    expect((await post(`/api/v1/sessions/${id}/prompt`, { user_prompt: "Pilot" }, { headers })).status).toBe(409);
  });
});

describe("the attack module of a session", () => {
  it("is set and removed, and shown", async () => {
    const id = await createSession([await createEndpoint()]);
    const shown = async () => (await get(`/api/v1/sessions/${id}`)).body.session.attack_module;
    expect((await put(`/api/v1/sessions/${id}/attack-module/homoglyph_attack`)).body).toEqual({ success: true });
    expect(await shown()).toBe("homoglyph_attack");
    expect((await del(`/api/v1/sessions/${id}/attack-module/charswap_attack`)).status).toBe(404);
    const unknown = await put(`/api/v1/sessions/${id}/attack-module/homoglyph_atack`);
    expect([unknown.status, unknown.body.detail]).toEqual([404, expect.stringContaining("homoglyph_attack")]);
    expect(await shown()).toBe("homoglyph_attack");
    expect((await del(`/api/v1/sessions/${id}/attack-module/homoglyph_attack`)).body).toEqual({ success: true });
    expect(await shown()).toBe("");
    const endpoints = [await createEndpoint()];
    expect((await post("/api/v1/sessions", { name: "n", endpoints, attack_module: "violent_durian" })).status).toBe(
      404,
    );
  });

  it("is one of a list", async () => {
    expect((await get("/api/v1/attack-modules")).body).toEqual(ATTACK_MODULES);
    const { body } = await get("/api/v1/attack-modules/metadata");
    expect(body.map(({ id }: { id: string }) => id)).toEqual(ATTACK_MODULES);
    expect(body[0]).toEqual({
      id: "charswap_attack",
      name: "Character Swap Attack",
      description: expect.any(String),
      endpoints: [],
      configurations: { max_iteration: 10, word_swap_ratio: 0.2 },
    });
  });
});
