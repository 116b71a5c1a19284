/** Part `doors`: the same turn through each dialect, beside `/sessions/chat`, in CPU time and in time. */
import type { Call, Round, Subject } from "./comparison.ts";
import { atMost, compare, p50, printComparison, ratio } from "./comparison.ts";
import type { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type { Finding } from "./report.ts";
import type { Servers } from "./servers.ts";
import { REPLY } from "./upstream.ts";

/** Each caller of a round has a new session. In this many rounds, four subjects and five follow each other equally often. */
const LOAD = { rounds: 20, callers: 8, calls: 12 };

/** How a door may compare with `/sessions/chat`. */
const TARGET = 1.1;

const EVENTS = { accept: "text/event-stream" };

/** Opens a caller of a door. */
export type OpenDoor = (parley: HttpClient, model: string, sessionId: string) => Call;

const chatDoor =
  (headers: Record<string, string>): OpenDoor =>
  (parley, _model, sessionId) =>
  async () =>
    (await sendChat(parley, sessionId, headers)).ms;

/** Sends the whole conversation with every call, as clients do. */
const completionDoor =
  (stream: boolean, isInSession: boolean): OpenDoor =>
  (parley, model, sessionId) => {
    const headers: Record<string, string> = isInSession ? { "x-parley-session": sessionId } : {};
    const messages: object[] = [];
    return async () => {
      messages.push({ role: "user", content: MESSAGE_TEXT });
      const { ms } = await parley.post("/openai/v1/chat/completions", { model, messages, stream }, headers);
      messages.push({ role: "assistant", content: REPLY });
      return ms;
    };
  };

const responseDoor =
  (stream: boolean): OpenDoor =>
  (parley, model, conversation) =>
  async () =>
    (await parley.post("/openai/v1/responses", { model, input: MESSAGE_TEXT, conversation, stream })).ms;

const uiDoor: OpenDoor = (parley, _model, id) => async () => {
  const message = { id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text: MESSAGE_TEXT }] };
  return (await parley.post("/ui/chat", { id, messages: [message], trigger: "submit-message" })).ms;
};

export const WHOLE = {
  "/sessions/chat": chatDoor({}),
  "chat completions in a session": completionDoor(false, true),
  "chat completions without a session": completionDoor(false, false),
  responses: responseDoor(false),
};

export const STREAMED = {
  "/sessions/chat, streamed": chatDoor(EVENTS),
  "chat completions without a session, streamed": completionDoor(true, false),
  "responses, streamed": responseDoor(true),
  "/ui/chat": uiDoor,
  "chat completions in a session, streamed": completionDoor(true, true),
};

export async function doors(servers: Servers): Promise<Finding[]> {
  return [
    ...(await measure(servers, "Doors, whole answers", WHOLE, "/sessions/chat")),
    ...(await measure(servers, "Doors, streamed answers", STREAMED, "/sessions/chat, streamed")),
  ];
}

async function measure<Name extends string>(
  { parley, upstream }: Servers,
  title: string,
  opened: Record<Name, OpenDoor>,
  base: NoInfer<Name>,
): Promise<Finding[]> {
  const client = parleyClient(parley.origin, LOAD.callers);
  const endpoint = await createEndpoint(client, `doors-${Object.keys(opened).length}`, upstream.baseUri(0));
  const createSession = await createSessionMaker(client, endpoint);
  const model = `chatbot:${createSession.chatbotId}`;
  const names = Object.keys(opened) as Name[];
  const subjects = Object.fromEntries(
    names.map((name): [Name, Subject] => [
      name,
      { server: parley, open: async () => opened[name](client, model, await createSession()) },
    ]),
  ) as Record<Name, Subject>;
  const measured = await compare(LOAD, subjects);
  client.close();
  const labels: Partial<Record<Name, string>> = {};
  for (const name of names) labels[name] = name;
  printComparison(title, measured, base, labels);
  const cpuMs = ({ cpuMs: value }: Round) => value;
  return names
    .filter((name) => name !== base)
    .flatMap((name) => [
      atMost(`${name}, p50 to ${base}`, ratio(p50, measured[name], measured[base]), TARGET),
      atMost(`${name}, CPU to ${base}`, ratio(cpuMs, measured[name], measured[base]), TARGET),
    ]);
}
