/**
 * Step 5 of the demo: a chat goes wrong and an answer is rated down. The same messages are put to three endpoints, and the
 * better answer is adopted in the chat.
 *
 * Calls Parley over HTTP and prints to the terminal.
 */
import type { Comparison, History, ParleyClient } from "../../client/index.ts";
import { ELIZA, createIfMissing, findOrCreateChatbot } from "../seed.ts";
import { printRemark, printSpeech, printTable } from "../terminal.ts";
import type { DemoContext, DemoStep } from "./demo-step.ts";

const CLIENT_NAME = "Ada";
const QUESTIONS = ["Hello, I ordered a lamp.", "When does my lamp arrive?"];

/** Both repeat the prompt, and the second one has an answer before it. */
const ENDPOINTS = [
  { name: "demo-repeats", connector_type: "echo-connector", params: { delay_ms: 300 } },
  {
    name: "demo-helpful",
    connector_type: "echo-connector",
    params: { delay_ms: 500, pre_prompt: "Tomorrow before noon. You asked: " },
  },
] as const;

export const bridgeStep: DemoStep = {
  title: "A bad answer is put to other endpoints, and the better one is adopted",
  async run(context) {
    const { parley, deleteLater } = context;
    const { sessionId, chatbotId, chatbotName } = await createChat(context);
    for (const question of QUESTIONS) {
      printSpeech(CLIENT_NAME, question);
      printSpeech(chatbotName, (await parley.sessions.chat(sessionId, { content: question })).content);
    }
    const rated = (await parley.sessions.messages(sessionId)).messages.at(-1);
    if (!rated) throw new Error("The session has no messages");
    await parley.sessions.setFeedback(sessionId, rated.seq, { rating: -1, tags: ["not helpful"] });
    printRemark(`${CLIENT_NAME} rates the last answer down: not helpful.`);
    for (const endpoint of ENDPOINTS) {
      if (await createIfMissing(parley, endpoint)) deleteLater(`/v1/llm_endpoints/${endpoint.name}`);
    }
    const endpoints = [...ENDPOINTS.map(({ name }) => name), `chatbot:${chatbotId}`];
    const fields = { name: "A lamp", endpoints, from_session: sessionId, until_seq: rated.seq };
    const comparison = await parley.comparisons.create(fields);
    deleteLater(`/v1/sessions/${comparison.session_id}`);
    const { records } = await parley.comparisons.replay(comparison.session_id);
    printRemark(`${QUESTIONS.length} turns of the chat were put to ${endpoints.length} endpoints. Their last answers:`);
    printLastAnswers(comparison, records);
    await adopt(parley, comparison, ENDPOINTS[1].name);
    const shown = (await parley.sessions.messages(sessionId)).messages.at(-1);
    printRemark("The answer of demo-helpful is adopted: the chat now goes on from it.");
    printSpeech(chatbotName, shown?.content ?? "");
  },
};

function printLastAnswers({ chat_ids: chatIds }: Comparison, records: History["records"]): void {
  const last = chatIds.flatMap((chatId) => records[chatId]?.at(-1) ?? []);
  const cells = last.map(({ conn_id, predicted_result }) => [conn_id, predicted_result ?? "no answer"]);
  printTable(
    ["endpoint", "answer"],
    cells.map((row) => ({ cells: row, style: "reset" as const })),
  );
  console.info();
}

async function adopt(parley: ParleyClient, comparison: Comparison, endpoint: string): Promise<void> {
  const { session_id: id, chat_ids: chatIds, endpoints } = comparison;
  // The first chat has the recorded answers, and no endpoint.
  const chatId = chatIds[1 + endpoints.indexOf(endpoint)] ?? "";
  await parley.comparisons.adopt(id, { chat_id: chatId, chat_record_id: QUESTIONS.length });
}

async function createChat({ parley, deleteLater }: DemoContext) {
  if (await createIfMissing(parley, { name: "eliza", connector_type: "eliza-connector" }))
    deleteLater("/v1/llm_endpoints/eliza");
  const chatbot = await findOrCreateChatbot(parley, { ...ELIZA, endpointId: "eliza" });
  if (chatbot.created) deleteLater(`/chatbots/${chatbot.id}`);
  const client = await parley.clients.create({ name: CLIENT_NAME });
  deleteLater(`/clients/${client.id}`);
  const { id } = await parley.sessions.create({ chatbotId: chatbot.id, clientId: client.id, title: "A lamp" });
  deleteLater(`/sessions/${id}`);
  return { sessionId: id, chatbotId: chatbot.id, chatbotName: chatbot.name };
}
