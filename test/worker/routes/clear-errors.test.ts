/** What an error says: what the caller lacks, what is in the way, and what to do instead. */
import { describe, expect, it } from "vitest";
import { del, get, post, put } from "../../support/api.ts";
import { signClientToken } from "../../support/client-token.ts";
import {
  createChatbot,
  createClient,
  createComparison,
  createEndpoint,
  createSession,
  unique,
} from "../../support/create.ts";

const keyOf = async (role: string, fields: object = {}): Promise<string> =>
  (await post("/keys", { name: "k", role, ...fields })).body.data.key;

describe("a call that is not allowed says why", () => {
  it("of the deep health", async () => {
    const { status, body } = await get("/healthz?deep=1", { token: await keyOf("service") });
    const message = "This call needs a token of role admin: this one has the role service";
    expect([status, body.message, body.error.code]).toEqual([403, message, "forbidden"]);
  });

  it("of a client that creates a session for another one, or appends as the assistant", async () => {
    const [clientId, chatbotId, other] = [await createClient(), await createChatbot(), await createClient()];
    const token = await keyOf("client", { clientId });
    const id = await createSession({ clientId, chatbotId });
    const session = await post("/sessions", { chatbotId, clientId: other }, { token });
    const message = { role: "assistant", content: "a" };
    const append = await post(`/sessions/message?sessionId=${id}`, { message }, { token });
    expect([session, append].map(({ status, body }) => [status, body.message])).toEqual([
      [403, "A token of role client creates sessions for its own client only: leave out clientId"],
      [403, "A client appends messages of role user only"],
    ]);
  });

  it("of a key that only an admin makes", async () => {
    const { status, body } = await post("/keys", { name: "x", role: "service" }, { token: await keyOf("service") });
    const message = "A token of role service creates keys of role client only: other keys need a token of role admin";
    expect([status, body.message]).toEqual([403, message]);
  });

  it("but of another client's session only that it is not found", async () => {
    const token = await signClientToken(await createClient());
    const { status, body } = await get(`/sessions/${await createSession()}`, { token });
    expect([status, body.message]).toEqual([404, "Session not found"]);
  });
});

describe("what is in use says by what", () => {
  it("an endpoint: by the chatbots on it, five of them by id", async () => {
    const endpointId = await createEndpoint();
    const refuse = async () => (await del(`/v1/llm_endpoints/${endpointId}`)).body.detail;
    const ids = [await createChatbot({ endpointId })];
    expect(await refuse()).toBe(`The endpoint is in use by 1 chatbot: ${ids[0]}`);
    for (let n = 0; n < 6; n++) ids.push(await createChatbot({ endpointId }));
    const message: string = await refuse();
    const named = message.match(/[0-9a-f]{24}/g) ?? [];
    expect(message).toBe(`The endpoint is in use by 7 chatbots: ${named.join(", ")}, …`);
    expect([named.length, named.filter((id) => !ids.includes(id)), new Set(named).size]).toEqual([5, [], 5]);
    for (const id of ids) await del(`/chatbots/${id}`);
    expect((await del(`/v1/llm_endpoints/${endpointId}`)).status).toBe(200);
  });

  it("a chatbot and a client: by their open sessions", async () => {
    const [chatbotId, clientId] = [await createChatbot(), await createClient()];
    const open = [await createSession({ chatbotId, clientId }), await createSession({ chatbotId, clientId })];
    await post(`/sessions/${await createSession({ chatbotId, clientId })}/end`);
    for (const [path, resource] of [
      [`/chatbots/${chatbotId}`, "chatbot"],
      [`/clients/${clientId}`, "client"],
    ] as const) {
      const { status, body } = await del(path);
      expect([status, body.error.code]).toEqual([409, "in_use"]);
      expect(body.message).toMatch(`The ${resource} is in use by 2 sessions that have not ended: `);
      expect((body.message.match(/[0-9a-f]{24}/g) as string[]).toSorted()).toEqual(open.toSorted());
    }
  });

  it("a template: by the active sessions that use it", async () => {
    const [name, endpointId] = [unique("template"), await createEndpoint()];
    await post("/v1/prompt_templates", { name, template: "{{ prompt }}" });
    const { session_id: id } = await createComparison([endpointId], { prompt_template: name });
    const { status, body } = await del(`/v1/prompt_templates/${encodeURIComponent(name)}`);
    expect([status, body.detail]).toEqual([409, `The prompt template is in use by 1 active session: ${id}`]);
  });
});

describe("receipts that cannot be shown are refused", () => {
  it("without the history", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    for (const query of ["include=receipt", "include_history=false&include=receipt"]) {
      const { status, body } = await get(`/v1/sessions/${id}?${query}`);
      expect([status, body.error]).toEqual([
        422,
        [
          {
            type: "value_error",
            loc: ["query", "include"],
            msg: "has no effect without include_history=true: add that, or leave out include",
            input: "receipt",
          },
        ],
      ]);
    }
    expect((await get(`/v1/sessions/${id}?include_history=true&include=receipt`)).status).toBe(200);
  });

  it("in a stream, and nothing is asked then", async () => {
    const { session_id: id } = await createComparison([await createEndpoint()]);
    const path = `/v1/sessions/${id}/prompt?include=receipt`;
    const headers = { accept: "text/event-stream" };
    const { status, body } = await post(path, { prompt: "a" }, { headers });
    expect([status, body.error[0].loc]).toEqual([422, ["query", "include"]]);
    const { chat_history: history } = (await get(`/v1/sessions/${id}?include_history=true`)).body.session;
    expect(Object.values(history)).toEqual([[]]);
    expect((await post(path, { prompt: "a" })).status).toBe(200);
  });
});

it("a misspelt variable of a template is refused beside a correct one, with the nearest name", async () => {
  const name = unique("template");
  const refused = await post("/v1/prompt_templates", { name, template: "{{ prompt }} {{ promt }}" });
  expect([refused.status, refused.body.error]).toEqual([
    422,
    [
      {
        type: "value_error",
        loc: ["body", "template"],
        msg: 'has the unknown variable "promt", did you mean "prompt"?',
      },
    ],
  ]);
  expect((await post("/v1/prompt_templates", { name, template: "{{ prompt }} {{ prompt }}" })).status).toBe(200);
});

describe("a name that is nearly right gets the right one", () => {
  it("of a template and of a strategy", async () => {
    const [name, endpointId] = [unique("summarise"), await createEndpoint()];
    await post("/v1/prompt_templates", { name, description: "", template: "{{ prompt }}" });
    const misspelt = `${name}s`;
    const create = async (fields: object) => {
      const { status, body } = await post("/v1/sessions", { name: "n", endpoints: [endpointId], ...fields });
      return [status, body.detail];
    };
    const ofTemplate = [404, `Prompt template "${misspelt}" not found: did you mean "${name}"?`];
    const ofStrategy = [404, 'Context strategy "chat-histroy" not found: did you mean "chat_history"?'];
    expect(await create({ prompt_template: misspelt })).toEqual(ofTemplate);
    expect(await create({ context_strategy: "chat-histroy" })).toEqual(ofStrategy);
    expect(await create({ context_strategy: "zzz" })).toEqual([404, 'Context strategy "zzz" not found']);
    const path = `/v1/sessions/${(await createComparison([endpointId])).session_id}`;
    const set = await put(`${path}/prompt_templates/${encodeURIComponent(misspelt)}`);
    expect([set.status, set.body.detail]).toEqual(ofTemplate);
    const setStrategy = await put(`${path}/context_strategies/chat-histroy`);
    expect([setStrategy.status, setStrategy.body.detail]).toEqual(ofStrategy);
  });

  it("of a message that is not in the field message", async () => {
    const { status, body } = await post(`/sessions/message?sessionId=${await createSession()}`, {
      role: "user",
      content: "a",
    });
    expect([status, body.message]).toEqual([
      400,
      "Invalid input: message: Field required, an object with role and content in it",
    ]);
    expect(body.error.details).toEqual([
      { path: "message", message: "Field required, an object with role and content in it" },
      { path: "role", message: 'unknown field, did you mean "message.role"?' },
      { path: "content", message: 'unknown field, did you mean "message.content"?' },
    ]);
  });
});
