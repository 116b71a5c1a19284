/**
 * Step 4 of the demo: a client asks for a person. One takes over while the chatbot is still talking, answers, and hands back.
 *
 * Calls Parley over HTTP and prints to the terminal.
 */
import type { ParleyClient } from "../../client/index.ts";
import { ELIZA, createIfMissing, findOrCreateChatbot } from "../seed.ts";
import { printRemark, printSpeech, startSpeech } from "../terminal.ts";
import type { DemoContext, DemoStep } from "./demo-step.ts";

const CLIENT_NAME = "Ada";
const OPERATOR = { id: "grace", name: "Grace" };

/** So slow that the person takes over in the middle of a reply. */
const ENDPOINT = {
  name: "demo-slow-talker",
  connector_type: "eliza-connector",
  params: { tokens_per_second: 4 },
} as const;

/** How many parts of the chatbot's reply come before the person takes over. */
const HEARD_PARTS = 3;

export const takeoverStep: DemoStep = {
  title: "A person takes over from the chatbot, and hands back",
  async run(context) {
    const { parley } = context;
    const { sessionId, chatbotId, chatbotName } = await createSession(context);
    await parley.sessions.requestHuman(sessionId, { reason: "The parcel is lost" });
    const waiting = (await parley.sessions.list({ handler: "waiting" })).results;
    printRemark(`${CLIENT_NAME} asks for a person. Sessions that wait for one: ${waiting.length}.`);
    await takeOverInMidReply(parley, sessionId, chatbotName);
    const written = "I found your parcel. It arrives tomorrow.";
    await parley.sessions.addMessage(sessionId, { message: { role: "assistant", content: written } });
    printSpeech(OPERATOR.name, written);
    const thanks = "Thank you, Grace!";
    const { content, ...answer } = await parley.sessions.chat(sessionId, { content: thanks });
    printSpeech(CLIENT_NAME, content);
    printRemark(`The message is stored, and no model is asked: it has the role ${answer.role}.`);
    const { handler } = await parley.sessions.handBack(sessionId, { note: "A new parcel was not needed" });
    printRemark(`${OPERATOR.name} hands back. The handler is “${handler}” again.`);
    printSpeech(CLIENT_NAME, "I feel better now.");
    printSpeech(chatbotName, (await parley.sessions.chat(sessionId, { content: "I feel better now." })).content);
    await rateAnswer(parley, sessionId, chatbotId, written);
  },
};

/** Prints a reply while it streams, until the person's take-over ends it. */
async function takeOverInMidReply(parley: ParleyClient, sessionId: string, speaker: string): Promise<void> {
  const question = "I need help with my parcel.";
  printSpeech(CLIENT_NAME, question);
  const print = startSpeech(speaker);
  let parts = 0;
  let status = "";
  for await (const event of parley.sessions.streamChat(sessionId, { content: question })) {
    if (event.type === "turn-ended") ({ status } = event);
    if (event.type !== "reply-delta") continue;
    print(event.text);
    parts += 1;
    if (parts === HEARD_PARTS) void parley.sessions.takeOver(sessionId, { operator: OPERATOR });
  }
  console.info();
  printRemark(`${OPERATOR.name} takes over: the reply stops at once, and the turn ends with status “${status}”.`);
}

/** The client rates an answer, and the team sees it. */
async function rateAnswer(parley: ParleyClient, sessionId: string, chatbotId: string, content: string): Promise<void> {
  const rated = (await parley.sessions.messages(sessionId)).messages.find((message) => message.content === content);
  if (!rated) throw new Error(`The session has no message “${content}”`);
  await parley.sessions.setFeedback(sessionId, rated.seq, { rating: 1, tags: ["kind"] });
  const [newest] = (await parley.feedback.list({ chatbotId, rating: "1" })).results;
  const author = newest?.message.author;
  printRemark(
    `${CLIENT_NAME} rates the answer of ${author?.kind === "human" ? author.name : "nobody"}: ${newest?.tags?.join(", ") ?? "without tags"}.`,
  );
  const { ratings, takeovers } = await parley.chatbots.statistics(chatbotId);
  printRemark(
    `Statistics of the chatbot: ${ratings.up} good and ${ratings.down} bad answers, ${takeovers} take-overs.`,
  );
}

async function createSession({ parley, deleteLater }: DemoContext) {
  if (await createIfMissing(parley, ENDPOINT)) deleteLater(`/v1/llm_endpoints/${ENDPOINT.name}`);
  const chatbot = await findOrCreateChatbot(parley, { ...ELIZA, endpointId: ENDPOINT.name });
  if (chatbot.created) deleteLater(`/chatbots/${chatbot.id}`);
  const client = await parley.clients.create({ name: CLIENT_NAME });
  deleteLater(`/clients/${client.id}`);
  const title = "A lost parcel";
  const { id } = await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title });
  deleteLater(`/sessions/${id}`);
  return { sessionId: id, chatbotId: chatbot.id, chatbotName: chatbot.name };
}
