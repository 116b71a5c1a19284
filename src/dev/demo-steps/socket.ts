/**
 * Step 3 of the demo: two people follow a session over WebSockets. One loses the connection in the middle of a reply,
 * reconnects, and misses nothing.
 *
 * Calls Parley over HTTP and WebSockets, and prints to the terminal.
 */
import { once } from "node:events";
import type { ClientFrame } from "../../live/streaming/client-frames.ts";
import type { StreamEvent } from "../../live/streaming/events.ts";
import { ELIZA, createIfMissing, findOrCreateChatbot } from "../seed.ts";
import { printEvent, printRemark } from "../terminal.ts";
import type { DemoContext, DemoStep } from "./demo-step.ts";

const ENDPOINT = { name: "demo-talker", connector_type: "eliza-connector", params: { tokens_per_second: 10 } } as const;

const PROMPT = "I am curious about sockets.";

export const socketStep: DemoStep = {
  title: "Two people follow a session over WebSockets, and one loses the connection",
  async run(context) {
    const { parley } = context;
    const sessionId = await createSession(context);
    printRemark("Each line is one event, as Ada or Ben receives it.");
    console.info();
    const startedAt = performance.now();
    const print = (who: string, what: string) => printEvent(performance.now() - startedAt, who, what);
    const connect = async (who: string, after: number) =>
      follow(await parley.sessions.openSocket(sessionId, after), (event) => print(who, describe(event)));
    const ada = await connect("Ada", 0);
    const ben = await connect("Ben", 0);
    ada.send({ type: "prompt-submit", id: crypto.randomUUID(), content: PROMPT });
    await ben.waitFor("reply-delta");
    ben.close();
    print("Ben", "✗ loses the connection, and reconnects");
    const benAgain = await connect("Ben", ben.lastSeq());
    await Promise.all([ada, benAgain].map((follower) => follower.waitFor("turn-ended")));
    ada.close();
    benAgain.close();
    console.info();
    printRemark("Ben reconnected after the last message he had, and got the running reply from its start: no gap.");
  },
};

async function createSession({ parley, deleteLater }: DemoContext): Promise<string> {
  if (await createIfMissing(parley, ENDPOINT)) deleteLater(`/v1/llm_endpoints/${ENDPOINT.name}`);
  const chatbot = await findOrCreateChatbot(parley, { ...ELIZA, endpointId: ENDPOINT.name });
  if (chatbot.created) deleteLater(`/chatbots/${chatbot.id}`);
  const client = await parley.clients.create({ name: "Ada" });
  deleteLater(`/clients/${client.id}`);
  const session = await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title: "Over a socket" });
  deleteLater(`/sessions/${session.id}`);
  return session.id;
}

interface Follower {
  send: (frame: ClientFrame) => void;
  /** Resolves when an event of this type has arrived. */
  waitFor: (type: StreamEvent["type"]) => Promise<void>;
  /** The `seq` of the last message that has arrived, from which a new connection resumes. */
  lastSeq: () => number;
  close: () => void;
}

async function follow(socket: WebSocket, onEvent: (event: StreamEvent) => void): Promise<Follower> {
  const events: StreamEvent[] = [];
  const arrivals = new EventTarget();
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(String(data)) as StreamEvent;
    events.push(event);
    onEvent(event);
    arrivals.dispatchEvent(new Event("arrival"));
  });
  await once(socket, "open");
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    waitFor: async (type) => {
      while (!events.some((event) => event.type === type)) await once(arrivals, "arrival");
    },
    lastSeq: () => events.reduce((last, event) => (event.type === "message-appended" ? event.seq : last), 0),
    close: () => socket.close(),
  };
}

function describe(event: StreamEvent): string {
  if (event.type === "message-appended") return `${event.type} ${event.seq}: “${event.content}”`;
  return event.type === "reply-delta" ? `${event.type} at ${event.offset}: “${event.text}”` : event.type;
}
