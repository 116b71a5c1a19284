/** Templates and context strategies of comparison sessions, and the names that records keep. */
import { describe, expect, inject, it } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { createComparison, createEndpoint, unique } from "../../support/create.ts";

const upstream = inject("upstream");
const HELLO = "Hello! How can I assist you today? 🎉";

interface Received {
  body: { messages: { role: string; content: string }[] };
}

/** A provider of its own for each test, which keeps the calls. */
function newProvider() {
  const provider = unique("provider").replaceAll(" ", "-");
  const at = (scene: string) => `${upstream}/${provider}/${scene}`;
  return {
    at,
    endpoint: (scene: string) =>
      createEndpoint({ connector_type: "openai-connector", model: "m", params: { max_attempts: 1 }, uri: at(scene) }),
    /** The messages of its newest call. */
    sent: async () => {
      const received = await (await fetch(`${upstream}/received/${provider}`)).json<Received[]>();
      return received[0]?.body.messages;
    },
  };
}

async function templateName(template: string): Promise<string> {
  const name = unique("template");
  await makeTemplate(name, template);
  return name;
}

async function makeTemplate(name: string, template: string): Promise<void> {
  expect((await post("/v1/prompt_templates", { name, template })).status).toBe(200);
}

/** A session with one chat. */
async function createOneChatSession(endpoint: string, fields: Record<string, unknown> = {}) {
  const { session_id: id, chat_ids } = await createComparison([endpoint], fields);
  const setting = (kind: "prompt_templates" | "context_strategies", name: string) =>
    `/v1/sessions/${id}/${kind}/${encodeURIComponent(name)}`;
  return {
    id,
    /** Submits a prompt. @returns its record */
    ask: async (prompt: string) => (await post(`/v1/sessions/${id}/prompt`, { prompt })).body[chat_ids[0]].at(-1),
    records: async () => (await get(`/v1/sessions/${id}?include_history=true`)).body.session.chat_history[chat_ids[0]],
    set: async (kind: "prompt_templates" | "context_strategies", name: string) =>
      expect((await put(setting(kind, name))).body).toEqual({ success: true }),
    unset: async (kind: "prompt_templates" | "context_strategies", name: string) =>
      expect((await del(setting(kind, name))).body).toEqual({ success: true }),
  };
}

describe("chat_history", () => {
  it("sends earlier prompts as they were prepared, each with its reply, as turns", async () => {
    const provider = newProvider();
    const template = await templateName("Q: {{ prompt }}");
    const chat = await createOneChatSession(await provider.endpoint("hello"), {
      prompt_template: template,
      context_strategy: "chat_history",
    });
    await chat.ask("one");
    await chat.unset("prompt_templates", template);
    await chat.ask("two");
    const record = await chat.ask("three");
    expect(await provider.sent()).toEqual([
      { role: "user", content: "Q: one" },
      { role: "assistant", content: HELLO },
      { role: "user", content: "two" },
      { role: "assistant", content: HELLO },
      { role: "user", content: "three" },
    ]);
    expect(record).toMatchObject({ prepared_prompt: "three", context_strategy: "chat_history", prompt_template: "" });
  });

  it("skips failed, cut and empty replies, with their prompts", async () => {
    const provider = newProvider();
    const endpoint = await provider.endpoint("hello");
    const chat = await createOneChatSession(endpoint, { context_strategy: "chat_history" });
    const become = (scene: string) => put(`/v1/llm_endpoints/${endpoint}`, { uri: provider.at(scene) });
    await chat.ask("good");
    for (const scene of ["500", "hello.truncated", "filtered"]) {
      await become(scene);
      await chat.ask(scene);
    }
    await become("hello.stall");
    const cut = chat.ask("cancelled");
    await expect.poll(provider.sent, { timeout: 30_000 }).toContainEqual({ role: "user", content: "cancelled" });
    await post(`/v1/sessions/${chat.id}/cancel`);
    expect((await cut).status).toBe("cancelled");
    await become("hello");
    await chat.ask("last");
    expect(await provider.sent()).toEqual([
      { role: "user", content: "good" },
      { role: "assistant", content: HELLO },
      { role: "user", content: "last" },
    ]);
  });

  it("sends each chat only its own replies", async () => {
    const [one, other] = [newProvider(), newProvider()];
    const endpoints = [await one.endpoint("hello"), await other.endpoint("length")];
    const { session_id: id } = await createComparison(endpoints, { context_strategy: "chat_history" });
    for (const prompt of ["first", "second"]) await post(`/v1/sessions/${id}/prompt`, { prompt });
    expect((await one.sent())?.[1]?.content).toBe(HELLO);
    expect((await other.sent())?.[1]?.content).toBe("Once upon a");
  });
});

describe("add_previous_prompt", () => {
  it("sends the last five prepared prompts after the new one, newest first, and no turns", async () => {
    const provider = newProvider();
    const chat = await createOneChatSession(await provider.endpoint("hello"));
    for (const prompt of ["p1", "p2", "p3", "p4", "p5", "p6"]) await chat.ask(prompt);
    await chat.set("context_strategies", "add_previous_prompt");
    expect((await chat.ask("new")).prepared_prompt).toBe("newp6\np5\np4\np3\np2\n");
    expect(await provider.sent()).toEqual([{ role: "user", content: "newp6\np5\np4\np3\np2\n" }]);
  });

  it("runs before the template, whose output is part of what is added next", async () => {
    const template = await templateName("<{{ prompt }}>");
    const chat = await createOneChatSession(await createEndpoint(), {
      prompt_template: template,
      context_strategy: "add_previous_prompt",
    });
    await chat.ask("one");
    expect((await chat.ask("two")).prepared_prompt).toBe("<two<one>\n>");
    expect((await chat.ask("three")).prepared_prompt).toBe("<three<two<one>\n>\n<one>\n>");
  });

  it("fails a prompt that grows over 200,000 characters, only while it is set", async () => {
    const chat = await createOneChatSession(await createEndpoint(), { context_strategy: "add_previous_prompt" });
    await chat.ask("x".repeat(90_000));
    expect((await chat.ask("y".repeat(90_000))).status).toBe("ok");
    const refused = await chat.ask("z".repeat(90_000));
    expect(refused).toMatchObject({ status: "error", error: { code: "refused_by_guard" }, attempts: 0 });
    expect(refused.predicted_result).toContain("200000 characters");
    await chat.unset("context_strategies", "add_previous_prompt");
    expect((await chat.ask("short")).predicted_result).toBe("short");
  });
});

describe("the names of template and strategy", () => {
  it("are kept by each record, whatever is set, unset, deleted or created later", async () => {
    const name = await templateName("first {{ prompt }}");
    const chat = await createOneChatSession(await createEndpoint());
    await chat.ask("a");
    await chat.set("prompt_templates", name);
    await chat.ask("b");
    await chat.set("context_strategies", "chat_history");
    await chat.unset("prompt_templates", name);
    await chat.ask("c");
    expect((await del(`/v1/prompt_templates/${encodeURIComponent(name)}`)).status).toBe(200);
    await makeTemplate(name, "second {{ prompt }}");
    await chat.set("prompt_templates", name);
    await chat.ask("d");
    const other = await templateName("other {{ prompt }}");
    await chat.set("prompt_templates", other);
    await chat.set("context_strategies", "add_previous_prompt");
    await chat.ask("e");
    const shown = (await chat.records()).map(
      (record: Record<string, unknown>) =>
        [
          record["prompt_template"],
          record["context_strategy"],
          String(record["prepared_prompt"]).split("\n")[0],
        ] as const,
    );
    expect(shown).toEqual([
      ["", "", "a"],
      [name, "", "first b"],
      ["", "chat_history", "c"],
      [name, "chat_history", "second d"],
      [other, "add_previous_prompt", "other esecond d"],
    ]);
  });

  it("are those at the time of the prompt, even if others are set while it runs", async () => {
    const provider = newProvider();
    const chat = await createOneChatSession(await provider.endpoint("hello.stall"));
    const name = await templateName("<{{ prompt }}>");
    const asked = chat.ask("x");
    await expect.poll(provider.sent, { timeout: 30_000 }).toBeDefined();
    await chat.set("prompt_templates", name);
    await chat.set("context_strategies", "chat_history");
    await post(`/v1/sessions/${chat.id}/cancel`);
    expect(await asked).toMatchObject({ prepared_prompt: "x", prompt_template: "", context_strategy: "" });
  });

  it("are kept by failed records too", async () => {
    const name = await templateName("{{ prompt }}{{ prompt }}");
    const chat = await createOneChatSession(await createEndpoint(), {
      prompt_template: name,
      context_strategy: "chat_history",
    });
    expect(await chat.ask("x".repeat(100_000))).toMatchObject({ status: "ok" });
    const tripled = await templateName("{{ prompt }}{{ prompt }}{{ prompt }}");
    await chat.set("prompt_templates", tripled);
    expect(await chat.ask("x".repeat(100_000))).toMatchObject({
      status: "error",
      error: { code: "template_failed", message: expect.stringContaining(tripled) },
      prompt_template: tripled,
      context_strategy: "chat_history",
      prepared_prompt: "",
    });
    expect(await chat.ask("x")).toMatchObject({ status: "ok", prepared_prompt: "xxx" });
  });
});

describe("unsetting a template or strategy", () => {
  it("is refused for a name that is not set, and keeps the one that is", async () => {
    const [set, unset] = [await templateName("<{{ prompt }}>"), await templateName("[{{ prompt }}]")];
    const chat = await createOneChatSession(await createEndpoint(), {
      prompt_template: set,
      context_strategy: "chat_history",
    });
    const path = `/v1/sessions/${chat.id}`;
    expect((await del(`${path}/prompt_templates/${encodeURIComponent(unset)}`)).status).toBe(404);
    expect((await del(`${path}/context_strategies/add_previous_prompt`)).status).toBe(404);
    expect(await chat.ask("x")).toMatchObject({ prepared_prompt: "<x>", context_strategy: "chat_history" });
  });
});

describe("a session's system prompt", () => {
  it("goes before everything else to each endpoint, and each record says which one it was", async () => {
    const provider = newProvider();
    const chat = await createOneChatSession(await provider.endpoint("hello"), {
      context_strategy: "chat_history",
      system_prompt: "Be brief.",
    });
    const path = `/v1/sessions/${chat.id}/system_prompt`;
    expect(await chat.ask("one")).toMatchObject({ prepared_prompt: "one", system_prompt: "Be brief." });
    expect(await provider.sent()).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "one" },
    ]);
    expect((await put(path, { system_prompt: "Be long." })).body).toEqual({ success: true });
    await chat.ask("two");
    expect(await provider.sent()).toEqual([
      { role: "system", content: "Be long." },
      { role: "user", content: "one" },
      { role: "assistant", content: HELLO },
      { role: "user", content: "two" },
    ]);
    expect((await get(`/v1/sessions/${chat.id}`)).body.session.system_prompt).toBe("Be long.");
    expect((await del(path)).body).toEqual({ success: true });
    expect(await chat.ask("three")).toMatchObject({ system_prompt: null });
    expect((await provider.sent())?.[0]).toEqual({ role: "user", content: "one" });
    expect((await chat.records()).map((record: { system_prompt: string | null }) => record.system_prompt)).toEqual([
      "Be brief.",
      "Be long.",
      null,
    ]);
  });

  it("is refused when it is empty or too long, and changes nothing", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()], { system_prompt: "S" });
    for (const text of ["", "x".repeat(100_001), null])
      expect((await put(`/v1/sessions/${id}/system_prompt`, { system_prompt: text })).status).toBe(422);
    expect((await get(`/v1/sessions/${id}`)).body.session.system_prompt).toBe("S");
    expect((await put("/v1/sessions/none_20240101-000000/system_prompt", { system_prompt: "x" })).status).toBe(404);
  });
});

describe("chat_history with a number of previous prompts", () => {
  it("sends the newest ones, oldest first", async () => {
    const provider = newProvider();
    const chat = await createOneChatSession(await provider.endpoint("hello"));
    for (const text of ["one", "two", "three"]) await chat.ask(text);
    await put(`/api/v1/sessions/${chat.id}/context-strategy/chat_history/2`);
    await chat.ask("four");
    expect((await provider.sent())?.map(({ content }) => content)).toEqual(["two", HELLO, "three", HELLO, "four"]);
  });
});
