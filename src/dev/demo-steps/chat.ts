import { setTimeout as sleep } from "node:timers/promises";
import { ELIZA, chatbotOn, createIfMissing } from "../seed.ts";
import type { ParleyClient } from "../../client/parley-client.ts";
import type { DemoStep, Terminal } from "../terminal.ts";
import { remark, say, speak } from "../terminal.ts";

const VISITOR = "Ada";

/** The last of these says little: the chatbot has to go by what it heard before. */
const SAID = ["Hello, I am nervous about my first release.", "Perhaps because of my sister.", "Hard to say."];

/** A doctor who takes her time. */
const SPEAKER = { name: "demo-eliza", connector_type: "eliza-connector", params: { tokens_per_second: 16 } } as const;

/** A client talks with a chatbot; the session is ended, and found again by its title. */
export const chatStep: DemoStep = {
  title: "A client chats with a chatbot, and the reply streams",
  async play(stage) {
    const { parley } = stage;
    const title = `${VISITOR} before the release`;
    const { chatbot, client } = await participants(stage);
    const session = await parley.createSession({ chatbotId: chatbot.id, clientId: client.id, title });
    stage.mine(`/sessions/${session.id}`);
    for (const { content } of session.messages) say(chatbot.name, content);
    for (const content of SAID) {
      say(client.name, content);
      await listen(stage, chatbot.name, session.id, content);
    }
    const ended = await parley.endSession(session.id);
    const search = "BEFORE THE REL";
    const found = await findSession(parley, search, session.id);
    console.info();
    remark(`Ended: the session is ${ended.status} and takes no more messages.`);
    remark(`Searched for “${search}”: found “${found.title}” with its ${found.messageCount} messages.`);
  },
};

/** Says something to the chatbot, and prints its reply as it comes. */
async function listen({ parley }: Terminal, speaker: string, sessionId: string, content: string): Promise<void> {
  const print = speak(speaker);
  for await (const event of parley.streamChat(sessionId, content)) if (event.type === "reply-delta") print(event.text);
  console.info();
}

async function participants({ parley, mine }: Terminal) {
  if (await createIfMissing(parley, SPEAKER)) mine(`/v1/llm_endpoints/${SPEAKER.name}`);
  const chatbot = await chatbotOn(parley, { ...ELIZA, endpointId: SPEAKER.name });
  if (chatbot.created) mine(`/chatbots/${chatbot.id}`);
  const client = await parley.createClient({ name: VISITOR });
  mine(`/clients/${client.id}`);
  return { chatbot, client };
}

/** Lists may follow a little late when the database is busy. */
async function findSession(parley: ParleyClient, search: string, id: string) {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const found = (await parley.searchSessions(search)).find((session) => session.id === id);
    if (found?.status === "COMPLETED") return found;
    await sleep(250);
  }
  throw new Error(`The session ${id} is not found by its title.`);
}
