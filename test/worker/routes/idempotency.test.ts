/** Idempotency keys on creates, messages, chats and prompts; also pages of messages. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { del, get, post } from "../../support/api.ts";
import type { Answer } from "../../support/api.ts";
import { connect, followEvents } from "../../support/follow.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createSession,
  createEndpoint,
  unique,
} from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

const under = (key: string, token?: string) => ({ headers: { "idempotency-key": key }, ...(token ? { token } : {}) });
const replayed = ({ headers }: { headers: Headers }) => headers.get("idempotency-replayed");
const contents = async (id: string) =>
  (await get(`/sessions/${id}`)).body.data.messages.map(({ content }: { content: string }) => content);
const message = (content: string) => ({ message: { role: "user", content } });

describe("a create with an idempotency key", () => {
  it("is done once, on every route that creates", async () => {
    const [chatbotId, clientId, endpoint] = [await createChatbot(), await createClient(), await createEndpoint()];
    const creates: [string, object][] = [
      ["/sessions", { chatbotId, clientId }],
      ["/chatbots", { name: "b", endpointId: endpoint }],
      ["/clients", { name: "c", externalId: unique("external") }],
      ["/v1/sessions", { name: "s", endpoints: [endpoint] }],
      ["/v1/llm_endpoints", { name: unique("e"), connector_type: "echo-connector" }],
      ["/v1/prompt_templates", { name: unique("t"), description: "", template: "{{ prompt }}" }],
    ];
    for (const [path, body] of creates) {
      const change = path === "/sessions" ? { title: "another" } : { name: "another" };
      const first = await post(path, body, under("k"));
      const again = await post(path, body, under("k"));
      expect([path, first.status < 300, replayed(first)]).toEqual([path, true, null]);
      expect([again.status, again.body, replayed(again)]).toEqual([first.status, first.body, "true"]);
      const other = await post(path, { ...body, ...change }, under("k"));
      expect([path, other.status]).toEqual([path, 409]);
    }
  });

  it("in parallel creates one, and every call gets that one", async () => {
    const body = { chatbotId: await createChatbot(), clientId: await createClient() };
    const answers = await Promise.all(Array.from({ length: 8 }, () => post("/sessions", body, under("race"))));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201));
    expect(new Set(answers.map((answer) => answer.body.data.id)).size).toBe(1);
    const { body: list } = await get(`/sessions?clientId=${body.clientId}`);
    expect(list.data.paginatorInfo.total).toBe(1);
  });

  it("is done once when D1's answer to it was lost", async () => {
    const body = { chatbotId: await createChatbot({ greeting: "Hello" }), clientId: await createClient() };
    const batch = env.DB.batch.bind(env.DB);
    let calls = 0;
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const answer = await batch(statements);
      // The first call claims the key, the second creates, and the third is its second attempt.
      calls += 1;
      if (calls === 2 || calls === 3) throw new Error("D1_ERROR: Network connection lost.");
      return answer;
    });
    expect((await post("/sessions", body, under("lost"))).status).toBe(503);
    vi.restoreAllMocks();
    const again = await post("/sessions", body, under("lost"));
    expect([again.status, replayed(again)]).toEqual([201, "true"]);
    const { results } = (await get(`/sessions?clientId=${body.clientId}`)).body.data;
    expect(results.map(({ id }: { id: string }) => id)).toEqual([again.body.data.id]);
  });

  it("is done anew once the thing was deleted, and the answer about it is gone", async () => {
    const [chatbotId, clientId, endpoint] = [await createChatbot(), await createClient(), await createEndpoint()];
    const [endpointName, template] = [unique("e"), unique("t").replaceAll(" ", "-")];
    const creates: [string, Record<string, unknown>, (body: Answer["body"]) => string][] = [
      ["/sessions", { chatbotId, clientId, title: "deleted-words" }, ({ data }) => data.id],
      ["/chatbots", { name: "deleted-words", endpointId: endpoint }, ({ data }) => data.id],
      ["/clients", { name: "c", email: "deleted-words@example.com" }, ({ data }) => data.id],
      ["/v1/sessions", { name: "deleted-words", endpoints: [endpoint] }, ({ session }) => session.session_id],
      [
        "/v1/llm_endpoints",
        { name: endpointName, connector_type: "echo-connector" },
        () => endpointName.replaceAll(" ", "-"),
      ],
      ["/v1/prompt_templates", { name: template, description: "", template: "{{ prompt }}" }, () => template],
    ];
    for (const [path, body, idOf] of creates) {
      const first = await post(path, body, under("once"));
      const place = `${path}/${idOf(first.body)}`;
      expect([path, (await del(place)).status]).toEqual([path, 200]);
      const { results } = await env.DB.prepare("select * from idempotency_keys where key like ?")
        .bind(`%${path} once`)
        .all();
      expect(JSON.stringify(results)).not.toContain("deleted-words");
      const again = await post(path, body, under("once"));
      expect([path, again.status, replayed(again)]).toEqual([path, first.status, null]);
      // It is there now, and is what the key stands for from now on.
      expect(replayed(await post(path, body, under("once")))).toBe("true");
      expect([path, (await del(`${path}/${idOf(again.body)}`)).status]).toEqual([path, 200]);
    }
  });

  it("is replayed when the deletion was refused", async () => {
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    const client = await post("/clients", { name: "busy" }, under("busy"));
    await createSession({ chatbotId, clientId: client.body.data.id });
    expect((await del(`/clients/${client.body.data.id}`)).status).toBe(409);
    expect((await del(`/clients/${clientId}`)).status).toBe(200);
    const again = await post("/clients", { name: "busy" }, under("busy"));
    expect([again.body, replayed(again)]).toEqual([client.body, "true"]);
  });

  it("is never replayed for a key or a ticket", async () => {
    const body = { name: "k", role: "service" };
    const first = await post("/keys", body, under("key"));
    await del(`/keys/${first.body.data.id}`);
    const again = await post("/keys", body, under("key"));
    expect([again.status, replayed(again)]).toEqual([201, null]);
    expect(again.body.data.key).not.toBe(first.body.data.key);
    const path = `/sessions/${await createSession()}/tickets`;
    const tickets = [await post(path, undefined, under("key")), await post(path, undefined, under("key"))];
    expect(new Set(tickets.map(({ body: { data } }) => data.ticket)).size).toBe(2);
  });

  it("is refused to callers without a token, who all look the same", async () => {
    const id = await createSession();
    setVariables({ ANONYMOUS_ROLE: "service" });
    for (const [path, body] of [
      ["/clients", { name: "x" }],
      [`/sessions/message?sessionId=${id}`, message("hi")],
      [`/sessions/chat?sessionId=${id}`, { content: "hi" }],
    ] as const) {
      const refused = await post(path, body, { token: null, ...under("shared") });
      expect([refused.status, refused.body.error.code]).toEqual([400, "invalid_idempotency_key"]);
      expect(refused.body.message).toContain("needs a token");
      expect((await post(path, body, { token: null })).status).toBeLessThan(300);
    }
    expect(await contents(id)).toEqual(["hi", "hi", "hi"]);
  });

  it("that was refused may be repeated", async () => {
    const name = unique("later");
    const refused = await post("/chatbots", { name: "b", endpointId: name }, under("again"));
    await post("/v1/llm_endpoints", { name, connector_type: "echo-connector" });
    const endpointId = name.replaceAll(" ", "-");
    expect([refused.status, (await post("/chatbots", { name: "b", endpointId }, under("again"))).status]).toEqual([
      404, 201,
    ]);
  });

  it("is the same in any order of fields, and with ignored fields", async () => {
    const endpoint = { name: unique("e"), connector_type: "echo-connector" };
    const first = await post("/v1/llm_endpoints", endpoint, under("order"));
    const turned = {
      created_date: "2024-03-15",
      connector_type: endpoint.connector_type,
      id: "any",
      name: endpoint.name,
    };
    const again = await post("/v1/llm_endpoints", turned, under("order"));
    expect([again.status, again.body, replayed(again)]).toEqual([200, first.body, "true"]);
  });

  it("belongs to its caller", async () => {
    const { key } = (await post("/keys", { name: "other", role: "service" })).body.data;
    const mine = await post("/clients", { name: "x" }, under("shared"));
    const theirs = await post("/clients", { name: "x" }, under("shared", key));
    expect(theirs.body.data.id).not.toBe(mine.body.data.id);
  });

  it.each(["", "a b", "\u00fc", "x".repeat(201)])("is refused with 400 for a key like %j", async (key) => {
    expect((await post("/clients", { name: "x" }, under(key))).status).toBe(400);
    expect((await post("/v1/prompt_templates", { name: "x" }, under(key))).status).toBe(400);
  });
});

describe("a message with an idempotency key", () => {
  it("is appended once and gets the first answer, also after eviction", async () => {
    const id = await createSession();
    const path = `/sessions/message?sessionId=${id}`;
    const first = await post(path, message("one"), under("m"));
    await post(path, message("two"));
    await evictDurableObject(env.SESSIONS.getByName(id));
    const again = await post(path, message("one"), under("m"));
    expect(replayed(again)).toBe("true");
    expect(again.body.data.messages).toEqual(first.body.data.messages);
    expect((await post(path, message("three"), under("m"))).body.error.code).toBe("idempotency_conflict");
    expect(await contents(id)).toEqual(["one", "two"]);
  });

  it("is remembered for a day, even after the end of its session, and is then forgotten", async () => {
    const id = await createSession();
    const path = `/sessions/message?sessionId=${id}`;
    const first = await post(path, message("one"), under("m"));
    const chat = await post(`/sessions/chat?sessionId=${id}`, { content: "two" }, under("c"));
    await post(`/sessions/${id}/end`);
    expect((await post(path, message("one"), under("m"))).body.data.messages).toEqual(first.body.data.messages);
    const again = await post(`/sessions/chat?sessionId=${id}`, { content: "two" }, under("c"));
    expect([again.status, again.body, replayed(again)]).toEqual([200, chat.body, "true"]);
    expect((await post(path, message("new"), under("n"))).status).toBe(404);
    const tables = () =>
      runInDurableObject(env.SESSIONS.getByName(id), async (object, { storage }) => {
        await object.alarm();
        return storage.sql.exec("select name from sqlite_schema where name = 'messages'").toArray().length;
      });
    expect(await tables()).toBe(1);
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 86_400_001);
    expect(await tables()).toBe(0);
    vi.restoreAllMocks();
    expect(await contents(id)).toEqual(["one", "two", "two"]);
  });

  it("that is sent 20 times at once is appended once", async () => {
    const id = await createSession();
    const path = `/sessions/message?sessionId=${id}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(path, message("one"), under("m"))));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(answers.filter((answer) => replayed(answer) === null)).toHaveLength(1);
    expect(await contents(id)).toEqual(["one"]);
  });
});

it("keeps the frames of callers without a token apart, whatever ids they have", async () => {
  const id = await createSession();
  setVariables({ ANONYMOUS_ROLE: "service" });
  const [ada, bob] = [
    await connect(`/sessions/${id}/ws`, { token: null }),
    await connect(`/sessions/${id}/ws`, { token: null }),
  ];
  for (const [client, content] of [
    [ada, "from Ada"],
    [bob, "from Bob"],
    [ada, "from Ada"],
  ] as const) {
    client.send({ type: "message-append", id: "1", role: "user", content });
    await client.until(({ events }) => events.some(({ type }) => type === "ack" || type === "failure"));
  }
  await bob.next("ack");
  await ada.next("ack", 2);
  expect(await contents(id)).toEqual(["from Ada", "from Bob"]);
});

describe("a chat with an idempotency key", () => {
  const createSessionOn = async (params: object) =>
    createSession({ chatbotId: await createChatbot({ endpointId: await createEndpoint({ params }) }) });

  it("joins the running turn, and replays a finished one, as JSON and as a stream", async () => {
    const id = await createSessionOn({ tokens_per_second: 40 });
    const path = `/sessions/chat?sessionId=${id}`;
    const body = { content: "one two three four five six" };
    const first = post(path, body, under("c"));
    await scheduler.wait(60);
    const joined = await followEvents(path, body, under("c"));
    expect(joined.headers.get("idempotency-replayed")).toBe("true");
    const [answer] = await Promise.all([first, joined.until(({ closed }) => closed !== null)]);
    const again = await post(path, body, under("c"));
    expect([again.body, replayed(again), replayed(answer)]).toEqual([answer.body, "true", null]);
    const streamed = await followEvents(path, body, under("c"));
    await streamed.until(({ closed }) => closed !== null);
    expect(streamed.types()).toEqual([
      "turn-started",
      "message-appended",
      "reply-start",
      "reply-delta",
      "message-appended",
      "reply-end",
      "turn-ended",
    ]);
    for (const reader of [joined, streamed]) {
      expect(
        reader.events
          .filter(({ type }) => type === "reply-delta")
          .map(({ text }) => text)
          .join(""),
      ).toBe(body.content);
      expect(reader.events.at(-1)).toMatchObject({ type: "turn-ended", status: "ok" });
    }
    expect(await contents(id)).toHaveLength(2);
  });

  it("is retried after a failure, and does not append the question twice", async () => {
    const id = await createSessionOn({ fail: 500, fail_times: 2 });
    const path = `/sessions/chat?sessionId=${id}`;
    const answers = [];
    for (let n = 0; n < 4; n++) answers.push(await post(path, { content: "please" }, under("c")));
    expect(answers.map((answer) => [answer.status, replayed(answer)])).toEqual([
      [502, null],
      [502, null],
      [200, null],
      [200, "true"],
    ]);
    expect(await contents(id)).toEqual(["please", "please"]);
    expect((await get(`/sessions/${id}/messages`)).body.data.messages.map(({ seq }: { seq: number }) => seq)).toEqual([
      1, 4,
    ]);
  });
});

it("submits a prompt with an idempotency key once to every endpoint", async () => {
  const session = await createComparison([await createEndpoint(), await createEndpoint({ params: { fail: 500 } })]);
  const path = `/v1/sessions/${session.session_id}/prompt`;
  const first = await post(path, { prompt: "hi" }, under("p"));
  await post(path, { prompt: "later" });
  const again = await post(path, { prompt: "hi" }, under("p"));
  expect([again.status, again.body, replayed(again)]).toEqual([200, first.body, "true"]);
  expect((await post(path, { prompt: "other" }, under("p"))).status).toBe(409);
});

describe("a page of messages", () => {
  it("has as many as requested, and gives the start of the next page, while active and after", async () => {
    const id = await createSession();
    for (let n = 1; n <= 7; n++) await post(`/sessions/message?sessionId=${id}`, message(`m${n}`));
    const page = async (query: string) => (await get(`/sessions/${id}/messages${query}`)).body.data;
    const walk = async () => {
      const seen = [];
      for (let after: number | undefined = 0; after !== undefined;) {
        const { messages, nextAfter }: { messages: { seq: number; content: string }[]; nextAfter?: number } =
          await page(`?limit=3&after=${after}`);
        seen.push(messages.map(({ seq, content }) => `${seq}${content}`));
        after = nextAfter;
      }
      return seen;
    };
    const pages = [["1m1", "2m2", "3m3"], ["4m4", "5m5", "6m6"], ["7m7"]];
    expect(await walk()).toEqual(pages);
    await post(`/sessions/${id}/end`);
    expect(await walk()).toEqual(pages);
    expect(await page("?after=7")).toEqual({ messages: [] });
    for (const query of ["?limit=0", "?limit=1001", "?limit=1e1", "?after=-1", "?after=x", "?after=0x1", "?after="]) {
      expect((await get(`/sessions/${id}/messages${query}`)).status).toBe(400);
    }
    expect((await get("/sessions/65f3a1b2c4d5e6f708192a3f/messages")).status).toBe(404);
  });
});
