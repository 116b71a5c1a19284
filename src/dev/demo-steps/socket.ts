import { once } from "node:events";
import type { ClientFrame } from "../../live/streaming/client-frames.ts";
import type { StreamEvent } from "../../live/streaming/events.ts";
import { ELIZA, chatbotOn, createIfMissing } from "../seed.ts";
import type { DemoStep } from "../terminal.ts";
import { note, remark } from "../terminal.ts";

const ENDPOINT = { name: "demo-talker", connector_type: "eliza-connector", params: { tokens_per_second: 10 } } as const;

const SAID = "I am curious about sockets.";

/** Two follow a session over WebSockets; one loses its connection in the middle of a reply, and misses nothing. */
export const socketStep: DemoStep = {
  title: "Two follow a session over WebSockets, and one is cut off",
  async play({ parley, mine }) {
    if (await createIfMissing(parley, ENDPOINT)) mine(`/v1/llm_endpoints/${ENDPOINT.name}`);
    const chatbot = await chatbotOn(parley, { ...ELIZA, endpointId: ENDPOINT.name });
    if (chatbot.created) mine(`/chatbots/${chatbot.id}`);
    const client = await parley.createClient({ name: "Ada" });
    mine(`/clients/${client.id}`);
    const session = await parley.createSession({ chatbotId: chatbot.id, clientId: client.id, title: "Over a socket" });
    mine(`/sessions/${session.id}`);
    const began = performance.now();
    const print = (who: string) => (event: StreamEvent) => note(performance.now() - began, who, wordsFor(event));
    const ada = await follow(parley.openSocket(session.id, 0), print("Ada"));
    const onlooker = await follow(parley.openSocket(session.id, 0), print("an onlooker"));
    ada.send({ type: "prompt-submit", id: crypto.randomUUID(), content: SAID });
    await onlooker.heard((event) => event.type === "reply-delta");
    onlooker.close();
    note(performance.now() - began, "an onlooker", "… is cut off, and comes back");
    const back = await follow(parley.openSocket(session.id, onlooker.lastSeq()), print("an onlooker"));
    await Promise.all([ada, back].map(({ heard }) => heard((event) => event.type === "turn-ended")));
    ada.close();
    back.close();
    console.info();
    remark("Back after its last message, the onlooker was told of the reply from its beginning: no gap, no repeat.");
  },
};

interface Follower {
  send: (frame: ClientFrame) => void;
  /** Settles once such an event has come. */
  heard: (wanted: (event: StreamEvent) => boolean) => Promise<void>;
  lastSeq: () => number;
  close: () => void;
}

async function follow(socket: WebSocket, tell: (event: StreamEvent) => void): Promise<Follower> {
  const events: StreamEvent[] = [];
  const arrivals = new EventTarget();
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(String(data)) as StreamEvent;
    events.push(event);
    tell(event);
    arrivals.dispatchEvent(new Event("arrival"));
  });
  await once(socket, "open");
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    heard: async (wanted) => {
      while (!events.some(wanted)) await once(arrivals, "arrival");
    },
    lastSeq: () => events.reduce((last, event) => (event.type === "message-appended" ? event.seq : last), 0),
    close: () => socket.close(),
  };
}

function wordsFor(event: StreamEvent): string {
  if (event.type === "message-appended") return `${event.type} ${event.seq}: “${event.content}”`;
  return event.type === "reply-delta" ? `${event.type} at ${event.offset}: “${event.text}”` : event.type;
}
