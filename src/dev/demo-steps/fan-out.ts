import { createIfMissing } from "../seed.ts";
import type { ChatRecord } from "../../client/parley-client.ts";
import type { DemoStep } from "../terminal.ts";
import { note, remark, say, seconds, table } from "../terminal.ts";

const PROMPT = "What makes a good conversation?";

/** A doctor, three that repeat what they hear after a while, and one that is out of order. */
const ENDPOINTS = [
  { name: "eliza", connector_type: "eliza-connector" },
  { name: "demo-quick", connector_type: "echo-connector", params: { delay_ms: 300, tokens_per_second: 8 } },
  { name: "demo-steady", connector_type: "echo-connector", params: { delay_ms: 700, tokens_per_second: 5 } },
  { name: "demo-slow", connector_type: "echo-connector", params: { delay_ms: 1200, tokens_per_second: 5 } },
  { name: "demo-broken", connector_type: "echo-connector", params: { delay_ms: 200, fail: 503 } },
] as const;

/** One prompt goes to several endpoints at once; their answers are put side by side, one failure among them. */
export const fanOutStep: DemoStep = {
  title: "One prompt is put to many endpoints, and all stream at once",
  async play({ parley, mine }) {
    for (const endpoint of ENDPOINTS) {
      if (await createIfMissing(parley, endpoint)) mine(`/v1/llm_endpoints/${endpoint.name}`);
    }
    const names = ENDPOINTS.map(({ name }) => name);
    const session = await parley.createComparison("Good conversations", names);
    mine(`/v1/sessions/${session.session_id}`);
    say("Prompt", PROMPT);
    console.info();
    const asked = performance.now();
    const nameOf = (chatId: string) => names[session.chat_ids.indexOf(chatId)] ?? "";
    for await (const event of parley.streamPrompt(session.session_id, PROMPT)) {
      const at = performance.now() - asked;
      if (event.type === "reply-delta") note(at, nameOf(event.chatId), event.text.trim());
      if (event.type === "reply-end")
        note(at, nameOf(event.chatId), event.status === "ok" ? "∎" : `✗ ${event.error?.code ?? ""}`);
    }
    const took = performance.now() - asked;
    const history = await parley.history(session.session_id);
    console.info();
    compare(
      session.chat_ids.flatMap((chatId) => history[chatId] ?? []),
      took,
    );
  },
};

function compare(records: ChatRecord[], tookMs: number): void {
  const longest = Math.max(...records.map(({ duration_ms }) => duration_ms));
  table(
    ["endpoint", "status", "took", "", "reply"],
    records.map(({ conn_id, status, duration_ms, predicted_result }) => ({
      cells: [conn_id, status, seconds(duration_ms), bar(duration_ms / longest), predicted_result],
      style: status === "ok" ? "reset" : "red",
    })),
  );
  const sum = records.reduce((total, { duration_ms }) => total + duration_ms, 0);
  const replied = records.filter(({ status }) => status === "ok").length;
  console.info();
  remark(`All were asked at once, and it took ${seconds(tookMs)}. One after the other: ${seconds(sum)}.`);
  remark(`${replied} of ${records.length} replied; a failure is kept as the reply of its endpoint alone.`);
}

const BAR_LENGTH = 16;

/** How long it took, drawn. */
const bar = (share: number): string => "━".repeat(Math.max(1, Math.round(share * BAR_LENGTH)));
