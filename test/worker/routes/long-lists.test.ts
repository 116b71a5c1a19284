/** Lists that are longer than what an isolate should hold: they are read and answered in parts. */
import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ADMIN_KEY, get, post } from "../../support/api.ts";
import { createChatbot, createClient, createEndpoint, unique } from "../../support/create.ts";
import { recordD1Answers } from "../../support/d1-answers.ts";
import { breakD1 } from "../../support/faults.ts";

/** The most that D1 may send for one page: its bytes, one row more, and the JSON around them. */
const PAGE_CHARACTERS = 1_250_000;

/** The most that D1 may send for a list with a limit: three bytes a character, and one row more. */
const LIST_CHARACTERS = 6_500_000;

afterEach(() => {
  vi.restoreAllMocks();
});

interface Template {
  name: string;
  description: string;
  template: string;
}

const TEMPLATES = "insert into prompt_templates (name, description, template, created_at) values (?1, ?2, ?3, 1)";

async function writeTemplates(templates: Template[]): Promise<void> {
  const insert = env.DB.prepare(TEMPLATES);
  for (let from = 0; from < templates.length; from += 100) {
    const part = templates.slice(from, from + 100);
    await env.DB.batch(part.map(({ name, description, template }) => insert.bind(name, description, template)));
  }
}

/** Only the templates of a test: the file has one database. */
const named = (prefix: string, templates: Template[]) => templates.filter(({ name }) => name.startsWith(prefix));

describe("the list of templates", () => {
  it("has all of them when they are more than 2 million characters, and D1 sends a page at a time", async () => {
    const prefix = unique("long");
    const templates = Array.from({ length: 60 }, (_, n) => ({
      name: `${prefix} ${String(n).padStart(3, "0")}`,
      description: `number "${n}"`,
      template: `{{ prompt }} ${n} é\n`.padEnd(50_000, "x"),
    }));
    await writeTemplates(templates.toReversed());
    const answers = recordD1Answers();
    const { status, body, headers } = await get("/v1/prompt_templates");
    expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(headers.get("x-d1-bookmark")).not.toBeNull();
    expect(named(prefix, body)).toEqual(templates);
    expect(answers.length).toBeGreaterThan(2);
    expect(Math.max(...answers)).toBeLessThan(PAGE_CHARACTERS);
  });

  it("has all of many short ones, in the order of D1, whatever their names", async () => {
    const prefix = unique("short");
    const last = ["\0", "\0a", "ü", "\uE000", "\uFFFD", "\u{1F600}"].map((text) => `${prefix} ${text}`);
    const names = [...Array.from({ length: 1_200 }, (_, n) => `${prefix} ${String(n).padStart(4, "0")}`), ...last];
    // Fills its page, so that only the last name is on the next one. JavaScript compares these two the other way round.
    const templateOf = (name: string) => "{{ prompt }}".padEnd(name.endsWith("\uFFFD") ? 1_000_000 : 0, "x");
    await writeTemplates(names.map((name) => ({ name, description: "", template: templateOf(name) })));
    const { body } = await get("/v1/prompt_templates");
    const listed = named(prefix, body).map(({ name }) => name);
    expect(new Set(listed)).toEqual(new Set(names));
    expect(listed).toHaveLength(names.length);
    expect(listed.slice(-4)).toEqual(last.slice(-4));
  });

  it("breaks off when D1 fails on the way, so that it never looks complete", async () => {
    const prefix = unique("broken");
    const template = "{{ prompt }}".padEnd(90_000, "x");
    await writeTemplates(Array.from({ length: 60 }, (_, n) => ({ name: `${prefix} ${n}`, description: "", template })));
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const request = new Request("http://parley.test/v1/prompt_templates", {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const answer = await exports.default.fetch(request);
    const repairD1 = breakD1();
    await expect(answer.text()).rejects.toThrow();
    repairD1();
    expect(answer.status).toBe(200);
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ event: "answer-broke-off" }));
  });
});

describe("the list of endpoints", () => {
  it("is asked for once when it is short", async () => {
    const id = await createEndpoint();
    const answers = recordD1Answers();
    const { body } = await get("/v1/llm_endpoints");
    expect(answers).toHaveLength(1);
    expect(body.map((endpoint: { id: string }) => endpoint.id)).toContain(id);
  });

  it("has all of them, by id, when they are more than 2 million characters, and the deep health checks each", async () => {
    const long = { note: "é".repeat(8_000) };
    const insert = env.DB.prepare(
      `insert into endpoints (id, name, connector_type, uri, token, model, max_calls_per_second, max_concurrency, params,
        created_at, updated_at) values (?1, ?2, 'echo-connector', '', ?3, '', 0, 0, ?4, 1, 1)`,
    );
    const ids = Array.from({ length: 250 }, (_, n) => `zz-${String(n).padStart(3, "0")}`);
    await env.DB.batch(ids.map((id) => insert.bind(id, `Name ${id}`, "sealed by nobody", JSON.stringify(long))));
    const answers = recordD1Answers();
    const { body } = await get("/v1/llm_endpoints");
    const listed = body.filter(({ id }: { id: string }) => id.startsWith("zz-"));
    expect(listed.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(listed.at(-1)).toMatchObject({ name: "Name zz-249", token: "********", params: long });
    expect(Math.max(...answers)).toBeLessThan(PAGE_CHARACTERS);
    answers.length = 0;
    const health = (await get("/healthz?deep=1")).body;
    expect(health.tokens.unreadable).toEqual(ids.slice(0, 100));
    expect(Math.max(...answers)).toBeLessThan(PAGE_CHARACTERS);
  });
});

describe("a list with a limit", () => {
  it("of comparisons reads no more than it can show", async () => {
    const endpointId = "e".repeat(200);
    const chats = JSON.stringify(Array.from({ length: 64 }, (_, n) => ({ chatId: `${endpointId}_${n}`, endpointId })));
    await env.DB.prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 600)
        insert into sessions (id, kind, title, title_folded, fold_version, description, status, start_time, chats,
          created_at, updated_at, last_seq, metadata_version, message_count)
        select 'long-' || i, 'comparison', 't', 't', 1, '', 'ACTIVE', i, ?1, i, i, 0, 0, 0 from n`,
    )
      .bind(chats)
      .run();
    const answers = recordD1Answers();
    const seen: string[] = [];
    for (let next: string | undefined = "/v1/sessions"; next !== undefined;) {
      const { body, headers }: Awaited<ReturnType<typeof get>> = await get(next);
      expect(JSON.stringify(body).length).toBeLessThanOrEqual(2_000_000);
      seen.push(...body.map((session: { session_id: string }) => session.session_id));
      next = /<(.*)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
    }
    expect(seen).toEqual(Array.from({ length: 600 }, (_, n) => `long-${600 - n}`));
    expect(Math.max(...answers)).toBeLessThan(LIST_CHARACTERS);
  });

  it("of chatbots, or of sessions with theirs, reads no long texts when they are too many", async () => {
    const [name, endpointId, clientId] = [unique("big"), await createEndpoint(), await createClient()];
    const insert = env.DB.prepare(
      `insert into chatbots (id, name, name_folded, fold_version, endpoint_id, system_prompt, greeting, history_limit,
        params, created_at, updated_at) values (?1, ?2, ?2, 1, ?3, ?4, ?4, 50, '{}', 1, 1)`,
    );
    const session = env.DB.prepare(
      `insert into sessions (id, kind, title, title_folded, fold_version, status, start_time, chatbot_id, client_id, chats,
        created_at, updated_at, last_seq, metadata_version, message_count)
        values (?1, 'chatbot', 't', 't', 1, 'ACTIVE', 1, ?2, ?3, '[]', 1, 1, 0, 0, 0)`,
    );
    const text = "é".repeat(100_000);
    const ids = Array.from({ length: 40 }, (_, n) => `${"f".repeat(22)}${n + 10}`);
    for (const id of ids)
      await env.DB.batch([
        insert.bind(id, name, endpointId, text),
        session.bind(`${"e".repeat(22)}${id.slice(22)}`, id, clientId),
      ]);
    const answers = recordD1Answers();
    const chatbots = (await get(`/chatbots?limit=100&searchString=${encodeURIComponent(name)}`)).body.data;
    const sessions = (await get(`/sessions?limit=100&clientId=${clientId}`)).body.data;
    expect(Math.max(...answers)).toBeLessThan(LIST_CHARACTERS);
    const shortened = { name, truncated: true };
    expect(chatbots.paginatorInfo.total).toBe(40);
    expect(chatbots.results).toEqual(Array.from({ length: 40 }, () => expect.objectContaining(shortened)));
    expect(chatbots.results[0]).not.toHaveProperty("systemPrompt");
    expect(sessions.results.map(({ chatbotId }: { chatbotId: object }) => chatbotId)).toEqual(
      Array.from({ length: 40 }, () => expect.objectContaining(shortened)),
    );
    const whole = (await get(`/chatbots/${ids[0]}`)).body.data;
    expect([whole.greeting, whole.truncated]).toEqual([text, undefined]);
  });

  it("of sessions leaves out the metadata of clients when all metadata are too many", async () => {
    const note = "x".repeat(16_000);
    const [chatbotId, client] = [await createChatbot(), await post("/clients", { name: "Ada", metadata: { note } })];
    const clientId = client.body.data.id;
    await env.DB.prepare(
      `with recursive n (i) as (select 1 union all select i + 1 from n where i < 100)
        insert into sessions (id, kind, title, title_folded, fold_version, status, start_time, chatbot_id, client_id, chats,
          metadata, created_at, updated_at, last_seq, metadata_version, message_count)
        select printf('%024x', i + 65536), 'chatbot', 't', 't', 1, 'ACTIVE', 1, ?1, ?2, '[]', ?3, i, i, 0, 0, 0 from n`,
    )
      .bind(chatbotId, clientId, JSON.stringify({ note }))
      .run();
    const { body } = await get(`/sessions?limit=100&clientId=${clientId}`);
    expect(JSON.stringify(body).length).toBeLessThan(2_000_000);
    expect(body.data.results).toHaveLength(100);
    expect(body.data.results[99]).toMatchObject({ metadata: { note }, clientId: { name: "Ada", truncated: true } });
    expect(body.data.results[99].clientId).not.toHaveProperty("metadata");
    const few = await get(`/sessions?limit=10&clientId=${clientId}`);
    expect(few.body.data.results[0].clientId.metadata).toEqual({ note });
  });
});
