import { createUnlessThere } from "../inhabitants.ts";
import type { ChatRecord } from "../parley.ts";
import type { Act } from "../stage.ts";
import { remark, say, seconds, table } from "../stage.ts";

const PROMPT = "What makes a good conversation?";

/** A doctor, three that repeat what they hear after a while, and one that is out of order. */
const ENDPOINTS = [
  { name: "eliza", connector_type: "eliza-connector" },
  { name: "demo-quick", connector_type: "echo-connector", params: { delay_ms: 300 } },
  { name: "demo-steady", connector_type: "echo-connector", params: { delay_ms: 800 } },
  { name: "demo-slow", connector_type: "echo-connector", params: { delay_ms: 1500 } },
  { name: "demo-broken", connector_type: "echo-connector", params: { delay_ms: 200, fail: 503 } },
] as const;

/** One prompt goes to several endpoints at once; their answers are put side by side, one failure among them. */
export const fanOutAct: Act = {
  title: "One prompt is put to many endpoints",
  async play({ parley, mine }) {
    for (const endpoint of ENDPOINTS) {
      if (await createUnlessThere(parley, endpoint)) mine(`/v1/llm_endpoints/${endpoint.name}`);
    }
    const names = ENDPOINTS.map(({ name }) => name);
    const session = await parley.createComparison("Good conversations", names);
    mine(`/v1/sessions/${session.session_id}`);
    say("Prompt", PROMPT);
    console.info();
    const asked = performance.now();
    const history = await parley.prompt(session.session_id, PROMPT);
    compare(
      session.chat_ids.flatMap((chatId) => history[chatId] ?? []),
      performance.now() - asked,
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
