/** The client's streams over connections that are cut, against a Worker in workerd. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ParleyClient } from "../../../src/client/index.ts";
import type { StreamEvent } from "../../../src/client/index.ts";
import { CuttingProxy } from "../../support/cutting-proxy.node.ts";
import { buildBundle, startWorkerd } from "../../support/releases.node.ts";
import type { Workerd } from "../../support/releases.node.ts";

const ADMIN_KEY = "an-admin-key-for-resuming-streams";
const PROMPT = "One two three four five six seven eight nine ten.";

let workerd: Workerd;
/** Over connections that are never cut. */
let direct: ParleyClient;
let proxy: CuttingProxy;
let parley: ParleyClient;
let chatbotId: string;
let clientId: string;

beforeAll(async () => {
  const bundle = await buildBundle();
  workerd = await startWorkerd(bundle, bundle, { ADMIN_KEY });
  direct = new ParleyClient({ url: workerd.url.origin, token: ADMIN_KEY });
  const params = { tokens_per_second: 10 };
  await direct.endpoints.create({ name: "echo", connector_type: "echo-connector", params });
  await direct.endpoints.create({ name: "quick", connector_type: "echo-connector", params: { tokens_per_second: 20 } });
  await direct.endpoints.create({ name: "broken", connector_type: "echo-connector", params: { fail: 503 } });
  chatbotId = (await direct.chatbots.create({ name: "Echo", endpointId: "echo" })).id;
  clientId = (await direct.clients.create({ name: "Ada" })).id;
});

afterAll(() => workerd.stop());

beforeEach(async () => {
  proxy = new CuttingProxy(workerd.url);
  parley = new ParleyClient({ url: await proxy.start(), token: ADMIN_KEY });
});

afterEach(() => proxy.stop());

const createSession = async (): Promise<string> => (await direct.sessions.create({ chatbotId, clientId })).id;

async function collect(stream: AsyncIterable<StreamEvent>, onEvent?: (event: StreamEvent) => void) {
  const events: StreamEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    onEvent?.(event);
  }
  return events;
}

/** Events as lines, the deltas of a reply as one: where a text is cut into deltas makes no difference. */
function outline(events: StreamEvent[]): string[] {
  const texts = new Map<string, string>();
  const lines: string[] = [];
  for (const event of events) {
    if (event.type === "reply-delta") {
      const text = texts.get(event.chatId) ?? "";
      expect(event.offset).toBe(text.length);
      texts.set(event.chatId, text + event.text);
    } else if (event.type === "reply-start") texts.set(event.chatId, "");
    else if (event.type === "message-appended") lines.push(`message ${event.seq} ${event.role}: ${event.content}`);
    else if (event.type === "reply-end") lines.push(`end ${event.status}: ${texts.get(event.chatId) ?? "?"}`);
    else if (event.type === "turn-ended") lines.push(`turn ended: ${event.status}`);
    else lines.push(event.type);
  }
  return lines;
}

const WHOLE_TURN = [
  "turn-started",
  `message 1 user: ${PROMPT}`,
  `message 2 assistant: ${PROMPT}`,
  `end ok: ${PROMPT}`,
  "turn ended: ok",
];

describe("the stream of a chat goes on by itself after a cut", () => {
  it.each([
    ["before the answer", ["HTTP/1."]],
    ["before the first event", ["text/event-stream"]],
    ["behind the start of the turn", ["event: message-appended"]],
    ["in the middle of a text", ['"text":"']],
    ["four times", ["HTTP/1.", "event: reply-delta", "event: reply-delta", "event: reply-delta"]],
    ["between the reply and its end", ["event: reply-end"]],
    ["before the end of the turn", ["event: turn-ended"]],
  ])("%s", async (_, places) => {
    const id = await createSession();
    proxy.cutBehind(...places);
    const events = await collect(parley.sessions.streamChat(id, { content: PROMPT }));
    expect(proxy.cuts).toBe(places.length);
    expect(outline(events)).toEqual(WHOLE_TURN);
    expect((await direct.sessions.messages(id)).messages).toHaveLength(2);
  });

  it("in a way that the turn ends before the client is back", async () => {
    const id = await createSession();
    const events = collect(parley.sessions.streamChat(id, { content: PROMPT }), ({ type }) => {
      if (type === "reply-start") cutFor(1500);
    });
    expect(outline(await events)).toEqual(WHOLE_TURN);
  });

  it("and shows that the turn was stopped meanwhile", async () => {
    const id = await createSession();
    const events = collect(parley.sessions.streamChat(id, { content: PROMPT }), ({ type }) => {
      if (type !== "reply-start") return;
      cutFor(1000);
      void direct.sessions.stop(id);
    });
    expect(outline(await events).at(-1)).toBe("turn ended: cancelled");
  });

  it("and shows that a person has taken over meanwhile", async () => {
    const id = await createSession();
    const events = collect(parley.sessions.streamChat(id, { content: PROMPT }), ({ type }) => {
      if (type !== "reply-start") return;
      cutFor(1000);
      void direct.sessions.takeOver(id, { operator: { id: "grace", name: "Grace" } });
    });
    expect(outline(await events).at(-1)).toBe("turn ended: human");
  });

  it("of a variant too", async () => {
    const id = await createSession();
    await direct.sessions.chat(id, { content: PROMPT });
    proxy.cutBehind("event: reply-delta", "event: message-appended");
    const events = await collect(parley.sessions.streamRegenerate(id, 2));
    expect(outline(events)).toEqual([
      "turn-started",
      `message 3 assistant: ${PROMPT}`,
      "path-changed",
      `end ok: ${PROMPT}`,
      "turn ended: ok",
    ]);
    proxy.cutBehind("event: reply-start");
    const edited = await collect(parley.sessions.streamEdit(id, 1, { content: "Eleven twelve" }));
    expect(outline(edited).slice(-3)).toEqual([
      "message 5 assistant: Eleven twelve",
      "end ok: Eleven twelve",
      "turn ended: ok",
    ]);
  });
});

/** Everything is cut, and the proxy refuses connections for some time. */
function cutFor(ms: number): void {
  proxy.isDown = true;
  proxy.cutAll();
  setTimeout(() => {
    proxy.isDown = false;
  }, ms);
}

it("the stream of a prompt to several endpoints goes on by itself, with what became of each", async () => {
  const endpoints = ["echo", "quick", "broken"];
  const { session_id: id, chat_ids } = await direct.comparisons.create({ name: "Cut", endpoints });
  proxy.cutBehind('"text":"', "event: reply-delta", "event: reply-end");
  const events = await collect(parley.comparisons.streamPrompt(id, { prompt: PROMPT }));
  expect(proxy.cuts).toBe(3);
  const lines = outline(events);
  expect(lines.filter((line) => line === `end ok: ${PROMPT}`)).toHaveLength(2);
  expect(lines.filter((line) => line.startsWith("end error"))).toHaveLength(1);
  expect(lines.filter((line) => line === "turn-started")).toHaveLength(1);
  expect(lines.at(-1)).toBe("turn ended: partial");
  const { records } = await direct.comparisons.history(id);
  expect(chat_ids.map((chatId) => records[chatId]?.length)).toEqual([1, 1, 1]);
});

it("a follower whose connection is cut again and again sees what one without cuts sees", async () => {
  const id = await createSession();
  const states: string[] = [];
  const cutting = collect(parley.sessions.follow(id, { after: 0, onState: (state) => states.push(state) }));
  const whole = collect(direct.sessions.follow(id, { after: 0 }));
  const timer = setInterval(() => proxy.cutAll(), 400);
  for (const content of [PROMPT, "Eleven twelve thirteen fourteen", "Fifteen"])
    await direct.sessions.chat(id, { content });
  await direct.sessions.update(id, { title: "Renamed" });
  await sleep(1000);
  clearInterval(timer);
  await direct.sessions.end(id);
  const [seen, all] = await Promise.all([cutting, whole]);
  expect(states.filter((state) => state === "reconnecting").length).toBeGreaterThan(3);
  const facts = (events: StreamEvent[]) => outline(events).filter((line) => line !== "session-updated");
  expect(facts(seen)).toEqual(facts(all));
  expect(seen.filter(({ type }) => type === "session-snapshot")).toHaveLength(1);
  const titles = seen.flatMap((event) => (event.type === "session-updated" ? [event.session["title"]] : []));
  expect(titles).toContain("Renamed");
});

it("a stream that is left, or whose signal is aborted, makes no further call", async () => {
  const id = await createSession();
  for await (const event of parley.sessions.follow(id)) if (event.type === "session-snapshot") break;
  const stop = new AbortController();
  const reason = new Error("Enough");
  const followed = collect(parley.sessions.follow(id, { signal: stop.signal }), () => stop.abort(reason));
  await expect(followed).rejects.toBe(reason);
  proxy.isDown = true;
  const waiting = new AbortController();
  const lost = collect(parley.sessions.follow(id, { signal: waiting.signal, onState: () => waiting.abort(reason) }));
  await expect(lost).rejects.toBe(reason);
});
