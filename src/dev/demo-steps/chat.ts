/**
 * Step 1 of the demo: a client chats with a chatbot, and the reply streams. Then the session is ended, and found by a search.
 *
 * Calls Parley over HTTP and prints to the terminal.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ParleyClient } from "../../client/index.ts";
import { ELIZA, createIfMissing, findOrCreateChatbot } from "../seed.ts";
import { printRemark, printSpeech, startSpeech } from "../terminal.ts";
import type { DemoContext, DemoStep } from "./demo-step.ts";

const CLIENT_NAME = "Ada";

/** The last message gives no topic: the reply to it uses an earlier message, which shows that the context is kept. */
const MESSAGES = ["Hello, I am nervous about my first release.", "Perhaps because of my sister.", "Hard to say."];

/** Slow enough that one sees the reply stream. */
const ENDPOINT = { name: "demo-eliza", connector_type: "eliza-connector", params: { tokens_per_second: 16 } } as const;

export const chatStep: DemoStep = {
  title: "A client chats with a chatbot, and the reply streams",
  async run(context) {
    const { parley } = context;
    const title = `${CLIENT_NAME} before the release`;
    const { chatbot, client } = await createParticipants(context);
    const session = await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title });
    context.deleteLater(`/sessions/${session.id}`);
    for (const { content } of session.messages) printSpeech(chatbot.name, content);
    for (const content of MESSAGES) {
      printSpeech(client.name, content);
      await printReply(parley, chatbot.name, session.id, content);
    }
    const ended = await parley.sessions.end(session.id);
    const search = "BEFORE THE REL";
    const found = await findSession(parley, search, session.id);
    console.info();
    printRemark(`The session has ended. Its status is ${ended.status}, and it accepts no more messages.`);
    printRemark(`A search for “${search}” finds “${found.title}”, with ${found.messageCount} messages.`);
  },
};

/** Sends a message to the chatbot, and prints the reply while it streams. */
async function printReply(parley: ParleyClient, speaker: string, sessionId: string, content: string): Promise<void> {
  const print = startSpeech(speaker);
  for await (const event of parley.sessions.streamChat(sessionId, { content }))
    if (event.type === "reply-delta") print(event.text);
  console.info();
}

async function createParticipants({ parley, deleteLater }: DemoContext) {
  if (await createIfMissing(parley, ENDPOINT)) deleteLater(`/v1/llm_endpoints/${ENDPOINT.name}`);
  const chatbot = await findOrCreateChatbot(parley, { ...ELIZA, endpointId: ENDPOINT.name });
  if (chatbot.created) deleteLater(`/chatbots/${chatbot.id}`);
  const client = await parley.clients.create({ name: CLIENT_NAME });
  deleteLater(`/clients/${client.id}`);
  return { chatbot, client };
}

/** Tries for 5 s: a list may be a little behind when D1 is busy. */
async function findSession(parley: ParleyClient, search: string, id: string) {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const found = (await parley.sessions.list({ searchString: search })).results.find((session) => session.id === id);
    if (found?.status === "COMPLETED") return found;
    await sleep(250);
  }
  throw new Error(`The search does not find session ${id} by its title.`);
}
