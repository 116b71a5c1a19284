/** What a response repeats of the call: the same while its turn waits and runs, when it is resumed, and from every store. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { logStore } from "../../../src/store/archive/bucket.ts";
import { database } from "../../../src/store/database.ts";
import { logPage } from "../../../src/store/session-log.ts";
import { findSession } from "../../../src/store/sessions.ts";
import { ADMIN_KEY, get, post } from "../../support/api.ts";
import { age, archive } from "../../support/archive.ts";
import { createChatbot, createClient, createEndpoint } from "../../support/create.ts";
import { endpointPlaying } from "../../support/openai.ts";

const RESPONSES = "/openai/v1/responses";

const open = (path: string, body?: object): Promise<Response> =>
  exports.default.fetch(`http://parley.test${path}`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
    ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
  });

/** The body of a call that has everything that a response repeats. */
async function callWithFields(endpointId: string) {
  const clientId = await createClient();
  const model = `chatbot:${await createChatbot({ endpointId })}`;
  const metadata = { topic: "boats 🛶", client_id: clientId, "10": "ten", "9": "nine" };
  const { body: first } = await post(RESPONSES, { model, input: "0", metadata });
  const body = {
    model,
    input: "1",
    instructions: 'Be "brief".\n漢',
    metadata,
    previous_response_id: first.id as string,
    max_output_tokens: 100,
    temperature: 0.25,
    top_p: 1,
  };
  return { body, clientId, sessionId: first.conversation.id as string };
}

/** The events of a stream, each as its text. */
class EventTexts {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(answer: Response) {
    this.#reader = (answer.body as ReadableStream<Uint8Array<ArrayBuffer>>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** Reads until the stream has so many events, or ends. */
  async read(count = Infinity): Promise<string[]> {
    while (this.#events.length < count) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      this.#text += value;
    }
    return this.#events;
  }

  get #events(): string[] {
    return this.#text.split("\n\n").slice(0, -1);
  }
}

const eventsOf = async (path: string): Promise<string[]> => new EventTexts(await open(path)).read();

const responseIn = (event = ""): Record<string, unknown> => JSON.parse(event.split("\ndata: ")[1] ?? "").response;

/** What those read of a log who need no long texts. */
async function shortTextsOf(id: string): Promise<string> {
  const session = await findSession(database(env.DB), id);
  if (!session) throw new Error("There is no session");
  return JSON.stringify(await logPage(logStore(env), session, { after: 0, limit: 10, form: "short" }));
}

describe("what a response repeats of the call", () => {
  it("is the same, byte for byte, in the rest of a stream that is resumed", async () => {
    const { id: endpointId } = await endpointPlaying("hello.slow");
    const { body, sessionId } = await callWithFields(endpointId);
    const stream = new EventTexts(await open(RESPONSES, { ...body, stream: true }));
    const begun = await stream.read(5);
    const { instructions, metadata, previous_response_id, max_output_tokens, temperature, top_p } = body;
    const repeated = { instructions, metadata, previous_response_id, max_output_tokens, temperature, top_p };
    const shown = responseIn(begun[0]);
    expect(shown).toMatchObject(repeated);
    const path = `${RESPONSES}/${String(shown["id"])}`;
    expect((await get(path)).body).toEqual(shown);
    const during = await Promise.all([
      eventsOf(`${path}?stream=true`),
      eventsOf(`${path}?stream=true&starting_after=2`),
    ]);
    const live = await stream.read();
    expect(live.at(-1)).toContain("event: response.completed");
    expect(during).toEqual([live, live.slice(3)]);
    const expectSame = async () => {
      expect(await eventsOf(`${path}?stream=true`)).toEqual(live);
      expect(await eventsOf(`${path}?stream=true&starting_after=6`)).toEqual(live.slice(7));
      expect((await get(path)).body).toEqual(responseIn(live.at(-1)));
    };
    await expectSame();
    // From D1, once the object has let go of its session.
    await post(`/sessions/${sessionId}/end`);
    await age([sessionId], 0);
    await expectSame();
    expect(await shortTextsOf(sessionId)).not.toContain("brief");
    await archive([sessionId]);
    await expectSame();
    expect(await shortTextsOf(sessionId)).not.toContain("brief");
  });

  it("is in the answer to the call and in every later one", async () => {
    const { body } = await callWithFields(await createEndpoint());
    const { body: answer } = await post(RESPONSES, body);
    expect(answer).toMatchObject({ instructions: body.instructions, metadata: body.metadata, temperature: 0.25 });
    expect((await get(`${RESPONSES}/${answer.id}`)).body).toEqual(answer);
    const { body: plain } = await post(RESPONSES, { model: body.model, input: "2", conversation: answer.conversation });
    expect(plain).toMatchObject({ instructions: null, metadata: {}, temperature: null, previous_response_id: null });
    expect((await get(`${RESPONSES}/${plain.id}`)).body).toEqual(plain);
  });

  it("is known after the turn broke off", async () => {
    const model = await createEndpoint({ params: { tokens_per_second: 20 } });
    const body = { model, input: "one two ".repeat(100), instructions: "Go on.", metadata: { a: "b" }, top_p: 0.5 };
    const stream = new EventTexts(await open(RESPONSES, { ...body, stream: true }));
    const [begun] = await stream.read(6);
    const { id, conversation, instructions, metadata, top_p } = responseIn(begun);
    const object = env.SESSIONS.getByName((conversation as { id: string }).id);
    await runInDurableObject(object, (_, state) => state.abort("down")).catch(() => undefined);
    const { body: failed } = await get(`${RESPONSES}/${String(id)}`);
    expect(failed).toMatchObject({ status: "failed", instructions: "Go on.", metadata: { a: "b" }, top_p: 0.5 });
    expect(failed).toMatchObject({ instructions, metadata, top_p });
  });

  it("hides instructions and params from a client, which sees none of its chatbot either", async () => {
    const { body, clientId } = await callWithFields(await createEndpoint());
    const { body: answer } = await post(RESPONSES, body);
    const token = (await post("/keys", { name: "k", role: "client", clientId })).body.data.key;
    const hidden = { instructions: null, max_output_tokens: null, temperature: null, top_p: null };
    expect((await get(`${RESPONSES}/${answer.id}`, { token })).body).toEqual({ ...answer, ...hidden });
  });

  it("is part of what a repeated call must have in common with the first", async () => {
    const { body } = await callWithFields(await createEndpoint());
    const { id: conversation } = (await post(RESPONSES, body)).body.conversation;
    const headers = { "idempotency-key": "k" };
    const call = { model: body.model, input: "2", conversation, metadata: { a: "1" } };
    const { body: first } = await post(RESPONSES, call, { headers });
    expect((await post(RESPONSES, call, { headers })).body).toEqual(first);
    const other = await post(RESPONSES, { ...call, metadata: { a: "2" } }, { headers });
    expect([other.status, other.body.error.code]).toEqual([409, "idempotency_conflict"]);
  });
});
