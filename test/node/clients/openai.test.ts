/**
 * OpenAI's package for JavaScript, unchanged, over the network: what it does when a call is slow, breaks or is refused, and what that
 * does in the session. What it reads from each answer is in `test/worker/routes`.
 */
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startGatedProvider } from "../../support/gated-provider.node.ts";
import type { GatedProvider } from "../../support/gated-provider.node.ts";
import { startLocalServer } from "../../support/local-server.node.ts";
import type { LocalServer } from "../../support/local-server.node.ts";

let server: LocalServer;
let provider: GatedProvider;
let chatbotId = "";
let clientId = "";

/** The statuses of the answers that the client got, in order; `lost` for a call that it gave up. */
let answers: (number | "lost")[] = [];
let sent = 0;

beforeEach(() => {
  answers = [];
  sent = 0;
});

const countingFetch: typeof fetch = async (input, init) => {
  sent += 1;
  try {
    const answer = await fetch(input, init);
    answers.push(answer.status);
    return answer;
  } catch (error) {
    answers.push("lost");
    throw error;
  }
};

beforeAll(async () => {
  [provider, server] = await Promise.all([startGatedProvider(), startLocalServer()]);
  const { parley } = server;
  await parley.endpoints.create({
    name: "Gated",
    connector_type: "openai-connector",
    uri: provider.uri,
    token: "t",
    model: "m",
    params: { max_attempts: 1 },
  });
  for (const status of ["400", "401", "429", "500"])
    await parley.endpoints.create({
      name: `fails ${status}`,
      connector_type: "echo-connector",
      uri: "",
      token: "",
      model: "",
      params: { fail: status, max_attempts: 1 },
    });
  chatbotId = (await parley.chatbots.create({ name: "Gated", endpointId: "gated" })).id;
  clientId = (await parley.clients.create({ name: "Ada" })).id;
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop()]));

const connect = (options: { timeout?: number; maxRetries?: number; session?: string } = {}): OpenAI =>
  new OpenAI({
    baseURL: `${server.address}/openai/v1`,
    apiKey: server.key,
    fetch: countingFetch,
    maxRetries: options.maxRetries ?? 2,
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    ...(options.session === undefined ? {} : { defaultHeaders: { "x-parley-session": options.session } }),
  });

const newSession = async (): Promise<string> =>
  (await server.parley.sessions.create({ chatbotId, clientId, title: "Kept" })).id;

const textsOf = async (session: string): Promise<string[]> =>
  (await server.parley.sessions.messages(session)).messages.map(({ role, content }) => `${role}: ${content}`);

const hello = [{ role: "user" as const, content: "Hello" }];

const failureOf = (call: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(call).then(
    () => null,
    (error: unknown) => error,
  );

describe("a call in a session that takes longer than the client waits", () => {
  it("is repeated by the client, joins its own turn, and adds nothing", async () => {
    const session = await newSession();
    const begun = connect({ timeout: 6_000, maxRetries: 1, session }).chat.completions.create({
      model: `chatbot:${chatbotId}`,
      messages: hello,
      stream: true,
    });
    const call = await provider.nextCall();
    await expect.poll(() => sent, { timeout: 60_000 }).toBe(2);
    call.say("Good ");
    // The answer begins when the call has joined the turn, so the turn ends after that.
    const stream = await begun;
    call.say("day");
    call.finish();
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe("Good day");
    expect(answers).toEqual(["lost", 200]);
    expect(await textsOf(session)).toEqual(["user: Hello", "assistant: Good day"]);
  });
});

describe("a stream", () => {
  it("that breaks raises an error, and the next call asks again without a second message", async () => {
    const session = await newSession();
    const openai = connect({ session });
    const model = `chatbot:${chatbotId}`;
    // The answer begins with the first text, so that a reply that fails before has a status of its own.
    const begun = openai.chat.completions.create({ model, messages: hello, stream: true });
    const failing = await provider.nextCall();
    failing.say("Good");
    const stream = await begun;
    let text = "";
    const reading = (async () => {
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? "";
        if (text === "Good") failing.breakOff();
      }
    })();
    expect(await failureOf(reading)).toBeInstanceOf(OpenAI.APIError);
    expect(text).toBe("Good");
    const again = openai.chat.completions.create({ model, messages: hello });
    const call = await provider.nextCall();
    call.say("Good day");
    call.finish();
    expect((await again).choices[0]?.message.content).toBe("Good day");
    expect((await textsOf(session)).filter((message) => message.startsWith("user"))).toEqual(["user: Hello"]);
  });

  it("without a session, whose reader leaves, closes the provider's call while it goes on", async () => {
    const begun = connect().chat.completions.create({ model: "gated", messages: hello, stream: true });
    const call = await provider.nextCall();
    call.say("Good");
    for await (const chunk of await begun) if (chunk.choices[0]?.delta.content === "Good") break;
    // That the reader has left is seen when something is sent to it.
    const goingOn = setInterval(() => call.say(" day"), 50);
    await call.closed;
    clearInterval(goingOn);
  });
});

describe("errors are the package's own, and are repeated only where that can help", () => {
  const ask = (model: string, options: { maxRetries?: number } = {}) =>
    failureOf(connect(options).chat.completions.create({ model, messages: hello }));

  it.each([
    ["an unknown model", "nobody", OpenAI.NotFoundError, [404]],
    ["a call that the provider rejects", "fails-400", OpenAI.BadRequestError, [400]],
    ["a provider that refuses the key of the endpoint", "fails-401", OpenAI.InternalServerError, [502]],
  ])("%s: once", async (_, model, type, statuses) => {
    expect(await ask(model)).toBeInstanceOf(type);
    expect(answers).toEqual(statuses);
  });

  it("an invalid call: once, and the field is named", async () => {
    const messages = [{ role: "user", content: 5 }] as never;
    const error = await failureOf(connect().chat.completions.create({ model: "echo", messages }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect((error as InstanceType<typeof OpenAI.BadRequestError>).param).toMatch(/^messages/);
    expect(answers).toEqual([400]);
  });

  it("a bad token: once", async () => {
    const openai = new OpenAI({ baseURL: `${server.address}/openai/v1`, apiKey: "wrong", fetch: countingFetch });
    expect(await failureOf(openai.models.list())).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(answers).toEqual([401]);
  });

  it("a provider that is busy: again, after Retry-After", async () => {
    expect(await ask("fails-429", { maxRetries: 1 })).toBeInstanceOf(OpenAI.RateLimitError);
    expect(answers).toEqual([429, 429]);
  });

  it("a provider that fails: again", async () => {
    expect(await ask("fails-500", { maxRetries: 1 })).toBeInstanceOf(OpenAI.InternalServerError);
    expect(answers).toEqual([502, 502]);
  });
});
