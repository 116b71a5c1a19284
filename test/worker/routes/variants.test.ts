/** Variants of a conversation: another reply, another prompt, another path, and a branch into a session of its own. */
import { env } from "cloudflare:workers";
import { describe, expect, inject, it, vi } from "vitest";
import { get, post, put } from "../../support/api.ts";
import { age } from "../../support/archive.ts";
import { createChatbot, createClient, createEndpoint, createSession, unique } from "../../support/create.ts";
import { breakD1, runAlarms } from "../../support/faults.ts";
import { followEvents } from "../../support/follow.ts";

const upstream = inject("upstream");

const chat = (id: string, content: string, fields = {}, options = {}) =>
  post(`/sessions/chat?sessionId=${id}`, { content, ...fields }, options);
const say = (id: string, role: string, content: string, fields = {}) =>
  post(`/sessions/message?sessionId=${id}`, { message: { role, content }, ...fields });
const regenerate = (id: string, seq: number, fields = {}, options = {}) =>
  post(`/sessions/${id}/messages/${seq}/regenerate`, fields, options);
const edit = (id: string, seq: number, content: string, options = {}) =>
  post(`/sessions/${id}/messages/${seq}/edit`, { content }, options);
const activate = (id: string, seq: number) => put(`/sessions/${id}/messages/${seq}/active`);
const pageOf = async (id: string, query = "") => (await get(`/sessions/${id}/messages?${query}`)).body.data;
const treeOf = async (id: string) => (await pageOf(id, "tree=true&limit=1000")).messages;
const shownIn = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}`)).body.data.messages.map(({ content }: { content: string }) => content);
const seqsOf = (messages: { seq: number }[]) => messages.map(({ seq }) => seq);

interface Received {
  text: string;
}

/** A chatbot whose provider keeps the bodies of its calls, newest first. */
async function createBot(connectorType: string, fixtures: string, scene: string) {
  const provider = fixtures === "openai" ? unique("variants").replaceAll(" ", "-") : fixtures;
  const mark = unique("mark").replaceAll(" ", "-");
  const endpointId = await createEndpoint({
    connector_type: connectorType,
    uri: `${upstream}/${provider}/${scene}@${mark}`,
    token: "t",
    model: "m",
    params: { max_attempts: 1 },
  });
  const bodies = async (): Promise<string[]> => {
    const received = await (await fetch(`${upstream}/received/${provider}`)).json<(Received & { path: string })[]>();
    return received.filter(({ path }) => path.includes(mark)).map(({ text }) => text);
  };
  return { chatbotId: await createChatbot({ endpointId }), bodies };
}

describe("regenerate", () => {
  it.each([
    ["openai-connector", "openai"],
    ["anthropic-connector", "anthropic"],
    ["google-gemini-connector", "gemini"],
  ])("sends exactly what was sent for the first reply: %s", async (connectorType, fixtures) => {
    const { chatbotId, bodies } = await createBot(connectorType, fixtures, "hello");
    const id = await createSession({ chatbotId });
    await chat(id, "First");
    await chat(id, "Second");
    await chat(id, "Third");
    const [, second] = await bodies();
    const { status, body } = await regenerate(id, 4);
    expect([status, body.data.role]).toEqual([200, "assistant"]);
    expect((await bodies())[0]).toBe(second);
    expect(seqsOf((await pageOf(id)).messages)).toEqual([1, 2, 3, 7]);
  });

  it("makes a sibling that is active, and overwrites nothing", async () => {
    const id = await createSession();
    await chat(id, "One");
    await chat(id, "Two");
    await regenerate(id, 2);
    const tree = await treeOf(id);
    expect(
      tree.map(({ seq, parentSeq, active, variant }: Record<string, unknown>) => [seq, parentSeq, active, variant]),
    ).toEqual([
      [1, null, true, undefined],
      [2, 1, false, { index: 1, of: 2 }],
      [3, 2, false, undefined],
      [4, 3, false, undefined],
      [5, 1, true, { index: 2, of: 2 }],
    ]);
    expect(await shownIn(id)).toEqual(["One", "One"]);
  });

  it("answers the same prompt when a variant is regenerated", async () => {
    const id = await createSession();
    await chat(id, "One");
    await regenerate(id, 2);
    await regenerate(id, 3);
    expect((await treeOf(id)).at(-1)).toMatchObject({ seq: 4, parentSeq: 1, variant: { index: 3, of: 3 } });
  });

  it("twice at once makes two whole variants", async () => {
    const id = await createSession();
    await chat(id, "One");
    const answers = await Promise.all([regenerate(id, 2), regenerate(id, 2)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const tree = await treeOf(id);
    expect(tree.filter(({ parentSeq }: { parentSeq: number }) => parentSeq === 1)).toMatchObject([
      { seq: 2, content: "One", active: false },
      { seq: 3, content: "One", active: false, status: "ok" },
      { seq: 4, content: "One", active: true, status: "ok" },
    ]);
  });

  it("of a message that answers nothing is refused", async () => {
    const id = await createSession({ chatbotId: await createChatbot({ greeting: "Welcome" }) });
    await chat(id, "One");
    await say(id, "assistant", "By the way");
    for (const seq of [1, 2, 4]) {
      const { status, body } = await regenerate(id, seq);
      expect([status, body.error.code]).toEqual([409, "nothing_to_answer"]);
    }
    for (const seq of [5, 0, 99_999_999]) expect((await regenerate(id, seq)).status).toBe(404);
    expect((await pageOf(id)).messages).toHaveLength(4);
  });

  it("that fails leaves the active path as it is", async () => {
    const { chatbotId } = await createBot("openai-connector", "openai", "hello,400,hello");
    const id = await createSession({ chatbotId });
    await chat(id, "One");
    expect((await regenerate(id, 2)).status).toBe(502);
    expect(await treeOf(id)).toMatchObject([
      { seq: 1, active: true },
      { seq: 2, active: true },
      { seq: 3, active: false, parentSeq: 1, status: "error", content: "" },
    ]);
    expect((await treeOf(id)).some(({ variant }: { variant?: object }) => variant)).toBe(false);
    expect((await activate(id, 3)).body.error.code).toBe("nothing_to_show");
    await chat(id, "Two");
    expect((await treeOf(id)).slice(3)).toMatchObject([
      { seq: 4, parentSeq: 2, active: true },
      { seq: 5, parentSeq: 4, active: true },
    ]);
    // A reply that failed can be asked for again.
    expect((await regenerate(id, 3)).status).toBe(200);
    expect(seqsOf((await pageOf(id)).messages)).toEqual([1, 6]);
  });

  it("under a key has one effect", async () => {
    const id = await createSession();
    await chat(id, "One");
    const headers = { "idempotency-key": unique("key").replaceAll(" ", "-") };
    const first = await regenerate(id, 2, {}, { headers });
    const again = await regenerate(id, 2, {}, { headers });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await regenerate(id, 3, {}, { headers })).body.error.code).toBe("idempotency_conflict");
    expect(await treeOf(id)).toHaveLength(3);
  });

  it("asks another endpoint, with params, for service and admin only", async () => {
    const { chatbotId } = await createBot("openai-connector", "openai", "hello");
    const other = await createEndpoint();
    const clientId = await createClient();
    const id = await createSession({ chatbotId, clientId });
    await chat(id, "One");
    const { key: token } = (await post("/keys", { name: unique("client"), role: "client", clientId })).body.data;
    expect((await regenerate(id, 2, { endpointId: other }, { token })).status).toBe(403);
    expect((await regenerate(id, 2, { params: { delay_ms: 1 } }, { token })).status).toBe(403);
    expect((await regenerate(id, 2, { endpointId: "no-such-endpoint" })).status).toBe(404);
    expect((await regenerate(id, 2, { params: { max_attempts: 11 } })).status).toBe(400);
    expect(await treeOf(id)).toHaveLength(2);
    expect((await regenerate(id, 2, { endpointId: other, params: { delay_ms: 1 } })).body.data.content).toBe("One");
    const lines = String((await get(`/sessions/${id}/export`)).body)
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { seq: 2, active: false },
      { seq: 3, active: true, endpointId: other, prompt: "One" },
    ]);
    expect((await regenerate(id, 2, {}, { token })).status).toBe(200);
  });
});

describe("edit", () => {
  it("says a message in another way, and is answered as by chat", async () => {
    const { chatbotId, bodies } = await createBot("openai-connector", "openai", "hello");
    const id = await createSession({ chatbotId });
    await chat(id, "First");
    await chat(id, "Second");
    const { status, body } = await edit(id, 3, "Another second");
    expect([status, body.data.role]).toEqual([200, "assistant"]);
    const [sent = "{}"] = await bodies();
    const { messages } = JSON.parse(sent);
    expect(messages.map(({ content }: { content: string }) => content)).toEqual([
      "First",
      expect.any(String),
      "Another second",
    ]);
    expect(seqsOf((await pageOf(id)).messages)).toEqual([1, 2, 5, 6]);
    expect((await treeOf(id))[4]).toMatchObject({ parentSeq: 2, variant: { index: 2, of: 2 } });
  });

  it("of the first message makes another first one", async () => {
    const id = await createSession();
    await chat(id, "One");
    await edit(id, 1, "Uno");
    expect(await treeOf(id)).toMatchObject([
      { seq: 1, parentSeq: null, active: false, variant: { index: 1, of: 2 } },
      { seq: 2, active: false },
      { seq: 3, parentSeq: null, active: true, variant: { index: 2, of: 2 } },
      { seq: 4, parentSeq: 3, active: true },
    ]);
    expect(await shownIn(id)).toEqual(["Uno", "Uno"]);
  });

  it("of anything but a user message is refused", async () => {
    const id = await createSession();
    await chat(id, "One");
    expect((await edit(id, 2, "Two")).body.error.code).toBe("nothing_to_edit");
    expect((await edit(id, 9, "Two")).status).toBe(404);
    expect((await edit(id, 1, " ")).status).toBe(400);
    expect(await treeOf(id)).toHaveLength(2);
  });

  it("that fails is tried again under its key, without another message", async () => {
    const { chatbotId } = await createBot("openai-connector", "openai", "hello,400,hello");
    const id = await createSession({ chatbotId });
    await chat(id, "One");
    const headers = { "idempotency-key": unique("key").replaceAll(" ", "-") };
    expect((await edit(id, 1, "Uno", { headers })).status).toBe(502);
    expect((await edit(id, 1, "Uno", { headers })).status).toBe(200);
    expect(await treeOf(id)).toMatchObject([
      { seq: 1, active: false },
      { seq: 2, active: false },
      { seq: 3, active: true, content: "Uno" },
      { seq: 4, active: false, parentSeq: 3, status: "error" },
      { seq: 5, active: true, parentSeq: 3 },
    ]);
  });
});

describe("the active path", () => {
  it("goes through a message, down to the newest that follows it", async () => {
    const id = await createSession();
    await chat(id, "One");
    await chat(id, "Two");
    await edit(id, 3, "Deux");
    await regenerate(id, 2);
    expect((await activate(id, 1)).body.data).toEqual({ seqs: [1, 7] });
    expect((await activate(id, 2)).body.data).toEqual({ seqs: [1, 2, 5, 6] });
    expect((await activate(id, 3)).body.data).toEqual({ seqs: [1, 2, 3, 4] });
    expect(await shownIn(id)).toEqual(["One", "One", "Two", "Two"]);
    expect((await activate(id, 8)).status).toBe(404);
    await chat(id, "Three");
    expect((await treeOf(id)).slice(7)).toMatchObject([
      { seq: 8, parentSeq: 4, active: true },
      { seq: 9, parentSeq: 8, active: true },
    ]);
  });

  it("is what counts, lists and ended sessions show", async () => {
    const chatbotId = await createChatbot();
    const id = await createSession({ chatbotId });
    await chat(id, "One");
    await chat(id, "Two");
    await regenerate(id, 2);
    const listed = async () => (await get(`/sessions?chatbotId=${chatbotId}`)).body.data.results[0];
    const expectShown = async (contents: string[]) => {
      await vi.waitFor(async () => expect((await listed()).messageCount).toBe(contents.length));
      expect((await listed()).messages.map(({ content }: { content: string }) => content)).toEqual(contents);
    };
    await expectShown(["One", "One"]);
    await activate(id, 4);
    await expectShown(["One", "One", "Two", "Two"]);
    await regenerate(id, 4);
    await post(`/sessions/${id}/end`);
    await expectShown(["One", "One", "Two", "Two"]);
    const before = {
      tree: await treeOf(id),
      shown: await shownIn(id),
      page: await pageOf(id),
      one: await pageOf(id, "limit=1&after=2"),
    };
    expect(seqsOf(before.page.messages)).toEqual([1, 2, 3, 6]);
    await env.SESSIONS.getByName(id).catchUp();
    await age([id]);
    const isStored = await env.DB.prepare("SELECT active_path FROM sessions WHERE id = ?").bind(id).first();
    expect(isStored).toMatchObject({ active_path: "[[1,3],[6,null]]" });
    expect({
      tree: await treeOf(id),
      shown: await shownIn(id),
      page: await pageOf(id),
      one: await pageOf(id, "limit=1&after=2"),
    }).toEqual(before);
  });

  it("is what a list shows, also if it ended long ago", async () => {
    const chatbotId = await createChatbot();
    const id = await createSession({ chatbotId });
    await chat(id, "One");
    await edit(id, 1, "Uno");
    const minimal = { headers: { prefer: "return=minimal" } };
    for (let n = 0; n < 101; n += 1)
      await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: String(n) } }, minimal);
    await activate(id, 1);
    await env.SESSIONS.getByName(id).catchUp();
    const [listed] = (await get(`/sessions?chatbotId=${chatbotId}`)).body.data.results;
    expect([listed.messages.map(({ content }: { content: string }) => content), listed.messageCount]).toEqual([
      ["One", "One"],
      2,
    ]);
  });

  it("is counted once by D1 too, however late the messages arrive there", async () => {
    const id = await createSession();
    await chat(id, "One");
    const repair = breakD1();
    const minimal = { headers: { prefer: "return=minimal" } };
    for (let n = 0; n < 130; n += 1)
      await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: String(n) } }, minimal);
    await regenerate(id, 2);
    for (let n = 0; n < 110; n += 1)
      await post(`/sessions/message?sessionId=${id}`, { message: { role: "user", content: String(n) } }, minimal);
    repair();
    await runAlarms(id);
    const row = await env.DB.prepare("SELECT last_seq, message_count, active_path FROM sessions WHERE id = ?")
      .bind(id)
      .first();
    expect(row).toEqual({ last_seq: 243, message_count: 112, active_path: "[[1,1],[133,null]]" });
  });

  it("stays while a turn runs", async () => {
    const id = await createSession({
      chatbotId: await createChatbot({ endpointId: await createEndpoint({ params: { tokens_per_second: 20 } }) }),
    });
    await chat(id, "One");
    await regenerate(id, 2);
    const follower = await followEvents(`/sessions/${id}/events`);
    const asked = chat(id, Array.from({ length: 40 }, (_, n) => `w${n}`).join(" "));
    await follower.next("reply-delta");
    expect((await activate(id, 2)).body.error.code).toBe("turn_running");
    await post(`/sessions/${id}/stop`);
    await asked;
    expect((await activate(id, 2)).status).toBe(200);
    await follower.cut();
  });
});

describe("expectedSeq", () => {
  it("refuses a call to a session that has moved on, and changes nothing", async () => {
    const id = await createSession();
    await chat(id, "One");
    const calls = [
      () => chat(id, "Two", { expectedSeq: 1 }),
      () => say(id, "user", "Two", { expectedSeq: 1 }),
      () => regenerate(id, 2, { expectedSeq: 1 }),
      () => post(`/sessions/${id}/messages/1/edit`, { content: "Two", expectedSeq: 3 }),
    ];
    for (const attempt of calls) {
      const { status, body } = await attempt();
      expect([status, body.error]).toMatchObject([409, { code: "session_moved_on", lastSeq: 2 }]);
    }
    expect(await treeOf(id)).toHaveLength(2);
    expect((await chat(id, "Two", { expectedSeq: 2 })).status).toBe(200);
    expect((await say(id, "user", "Three", { expectedSeq: 4 })).status).toBe(200);
    expect((await regenerate(id, 4, { expectedSeq: 5 })).status).toBe(200);
  });

  it("refuses a call that has waited for its turn meanwhile", async () => {
    const endpointId = await createEndpoint({ params: { tokens_per_second: 20 } });
    const id = await createSession({ chatbotId: await createChatbot({ endpointId }) });
    const follower = await followEvents(`/sessions/${id}/events`);
    const running = chat(id, "One two three four");
    await follower.next("reply-delta");
    const { status, body } = await chat(id, "Two", { expectedSeq: 1 });
    expect([status, body.error.code, body.error.lastSeq]).toEqual([409, "session_moved_on", 2]);
    await running;
    expect(await treeOf(id)).toHaveLength(2);
    await follower.cut();
  });

  it("lets only one of two calls at once through", async () => {
    const id = await createSession();
    await chat(id, "One");
    const answers = await Promise.all([chat(id, "A", { expectedSeq: 2 }), chat(id, "B", { expectedSeq: 2 })]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await treeOf(id)).toHaveLength(4);
  });
});

describe("followers", () => {
  it("get path-changed right behind the message that does not follow the last one", async () => {
    const id = await createSession();
    await chat(id, "One");
    const follower = await followEvents(`/sessions/${id}/events?after=0`);
    await chat(id, "Two");
    await regenerate(id, 2);
    await edit(id, 1, "Uno");
    await activate(id, 4);
    await follower.next("path-changed", 3);
    const ofTree = ({ events }: typeof follower) =>
      events.filter(({ type }) => type === "message-appended" || type === "path-changed");
    const followed = ofTree(follower).map(({ seq, parentSeq, seqs }) => seqs ?? [seq, parentSeq]);
    expect(followed).toEqual([[1, null], [2, 1], [3, 2], [4, 3], [5, 1], [1, 5], [6, null], [6], [7, 6], [1, 2, 3, 4]]);
    await follower.cut();
    const resumed = await followEvents(`/sessions/${id}/events?after=0`);
    await resumed.next("path-changed", 3);
    const withoutTurns = (reader: typeof follower) => ofTree(reader).map((event) => ({ ...event, turnId: null }));
    expect(withoutTurns(resumed)).toEqual(withoutTurns(follower));
    await resumed.cut();
  });

  it("of the call itself get it too", async () => {
    const id = await createSession();
    await chat(id, "One");
    const stream = await followEvents(`/sessions/${id}/messages/2/regenerate`, {});
    await stream.next("turn-ended");
    expect(stream.types()).toEqual([
      "turn-started",
      "reply-start",
      "reply-delta",
      "message-appended",
      "path-changed",
      "reply-end",
      "turn-ended",
    ]);
  });

  it("of an ended session get the same events", async () => {
    const id = await createSession();
    await chat(id, "One");
    await regenerate(id, 2);
    await chat(id, "Two");
    await activate(id, 2);
    await post(`/sessions/${id}/end`);
    await env.SESSIONS.getByName(id).catchUp();
    await age([id]);
    const reader = await followEvents(`/sessions/${id}/events?after=2`);
    await reader.next("stream-closed");
    expect(reader.events.map(({ type, seq, seqs }) => [type, seq ?? seqs])).toEqual([
      ["session-snapshot", undefined],
      ["message-appended", 3],
      ["path-changed", [1, 3]],
      ["message-appended", 4],
      ["message-appended", 5],
      ["path-changed", [1, 2]],
      ["stream-closed", undefined],
    ]);
  });
});

describe("branch", () => {
  it("copies the path to a message into a session of its own", async () => {
    const clientId = await createClient();
    const id = await createSession({ clientId, title: "Old", metadata: { secret: 1 } });
    await chat(id, "One");
    await chat(id, "Two");
    await regenerate(id, 2);
    await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
    await say(id, "assistant", "Grace here");
    const { status, body } = await post(`/sessions/${id}/branch`, { seq: 6, title: "New" });
    expect(status).toBe(201);
    const old = (await get(`/sessions/${id}`)).body.data;
    const { data } = (await get(`/sessions/${body.data.id}`)).body;
    expect(data).toMatchObject({
      title: "New",
      status: "ACTIVE",
      handler: "bot",
      chatbotId: { id: old.chatbotId.id },
      clientId: { id: clientId },
      metadata: { branchedFrom: { sessionId: id, seq: 6 } },
    });
    expect(data.metadata).toEqual({ branchedFrom: { sessionId: id, seq: 6 } });
    expect(data.messages).toEqual(old.messages);
    expect(data.messages.map(({ content }: { content: string }) => content)).toEqual(["One", "One", "Grace here"]);
    const other = (await post(`/sessions/${id}/branch`, { seq: 3 })).body.data;
    expect(other.title).toBeUndefined();
    expect(seqsOf((await pageOf(other.id)).messages)).toEqual([1, 2, 3]);
    expect((await chat(other.id, "More")).status).toBe(200);
    expect(seqsOf((await pageOf(other.id)).messages)).toEqual([1, 2, 3, 4, 5]);
    expect((await get(`/sessions/${other.id}/stats`)).body.data.count).toBe(1);
  });

  it("takes sessions that have ended, and is made once for a key", async () => {
    const id = await createSession();
    await chat(id, "One");
    const another = await createSession();
    await chat(another, "Other");
    await post(`/sessions/${id}/end`);
    const headers = { "idempotency-key": unique("key").replaceAll(" ", "-") };
    const first = await post(`/sessions/${id}/branch`, { seq: 2 }, { headers });
    const again = await post(`/sessions/${id}/branch`, { seq: 2 }, { headers });
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
    expect((await post(`/sessions/${another}/branch`, { seq: 2 }, { headers })).status).toBe(409);
    expect((await post(`/sessions/${id}/branch`, { seq: 3 })).status).toBe(404);
    expect((await post(`/sessions/${id}/branch`, { seq: 0 })).status).toBe(400);
    expect((await post(`/sessions/${id}/branch`, {})).status).toBe(400);
  });

  it("copies long conversations whole, and refuses longer ones", async () => {
    const id = await createSession();
    const long = "ä".repeat(100_000);
    const add = (n: number) =>
      post(
        `/sessions/message?sessionId=${id}`,
        { message: { role: "user", content: `${n}${long.slice(2)}` } },
        { headers: { prefer: "return=minimal" } },
      );
    for (let n = 0; n < 12; n++) await add(n);
    const { body } = await post(`/sessions/${id}/branch`, { seq: 12 });
    expect(body.data.truncated).toBe(true);
    const copied = (await get(`/sessions/${body.data.id}`)).body.data.messages;
    expect(copied).toEqual((await get(`/sessions/${id}`)).body.data.messages);
    for (let n = 12; n < 41; n++) await add(n);
    expect((await post(`/sessions/${id}/branch`, { seq: 41 })).body.error.code).toBe("path_too_long");
  });
});

it("while a person handles the session, nothing is asked again", async () => {
  const id = await createSession();
  await chat(id, "One");
  await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
  for (const attempt of [() => regenerate(id, 2), () => edit(id, 1, "Two")]) {
    const { status, body } = await attempt();
    expect([status, body.error.code]).toEqual([409, "human_handles"]);
  }
  expect(await treeOf(id)).toHaveLength(2);
});

it("a take-over refuses the variants that wait", async () => {
  const id = await createSession({
    chatbotId: await createChatbot({ endpointId: await createEndpoint({ params: { tokens_per_second: 20 } }) }),
  });
  await chat(id, "One");
  const follower = await followEvents(`/sessions/${id}/events`);
  const running = chat(id, Array.from({ length: 60 }, (_, n) => `w${n}`).join(" "));
  await follower.next("reply-delta");
  const waiting = [regenerate(id, 2), edit(id, 1, "Two")];
  await vi.waitFor(async () => expect((await get(`/sessions/${id}`)).status).toBe(200));
  await post(`/sessions/${id}/takeover`, { operator: { id: "grace", name: "Grace" } });
  expect((await Promise.all(waiting)).map(({ body }) => body.error.code)).toEqual(["human_handles", "human_handles"]);
  await running;
  await follower.cut();
});
