/**
 * Step 2 of the demo: one prompt goes to five endpoints at once. The replies stream, and a table compares them. One endpoint
 * fails.
 *
 * Calls Parley over HTTP and prints to the terminal.
 */
import type { ChatRecord } from "../../client/index.ts";
import { createIfMissing } from "../seed.ts";
import { formatSeconds, printEvent, printRemark, printSpeech, printTable } from "../terminal.ts";
import type { DemoStep } from "./demo-step.ts";

const PROMPT = "What makes a good conversation?";

/** `echo` repeats the prompt: at three speeds here, and once as a provider that is overloaded. */
const ENDPOINTS = [
  { name: "eliza", connector_type: "eliza-connector" },
  { name: "demo-quick", connector_type: "echo-connector", params: { delay_ms: 300, tokens_per_second: 8 } },
  { name: "demo-steady", connector_type: "echo-connector", params: { delay_ms: 700, tokens_per_second: 5 } },
  { name: "demo-slow", connector_type: "echo-connector", params: { delay_ms: 1200, tokens_per_second: 5 } },
  { name: "demo-broken", connector_type: "echo-connector", params: { delay_ms: 200, fail: 503 } },
] as const;

export const fanOutStep: DemoStep = {
  title: "One prompt goes to five endpoints, and all replies stream at once",
  async run({ parley, deleteLater }) {
    for (const endpoint of ENDPOINTS) {
      if (await createIfMissing(parley, endpoint)) deleteLater(`/v1/llm_endpoints/${endpoint.name}`);
    }
    const names = ENDPOINTS.map(({ name }) => name);
    const session = await parley.comparisons.create({ name: "Good conversations", endpoints: names });
    deleteLater(`/v1/sessions/${session.session_id}`);
    printRemark("Three endpoints repeat the prompt, each at its own speed. One fails on purpose.");
    console.info();
    printSpeech("Prompt", PROMPT);
    console.info();
    const startedAt = performance.now();
    const nameOf = (chatId: string) => names[session.chat_ids.indexOf(chatId)] ?? "";
    for await (const event of parley.comparisons.streamPrompt(session.session_id, { prompt: PROMPT })) {
      const atMs = performance.now() - startedAt;
      if (event.type === "reply-delta") printEvent(atMs, nameOf(event.chatId), event.text.trim());
      if (event.type === "reply-end")
        printEvent(atMs, nameOf(event.chatId), event.status === "ok" ? "✓ done" : `✗ ${event.error?.code ?? ""}`);
    }
    const durationMs = performance.now() - startedAt;
    const { records: history } = await parley.comparisons.history(session.session_id);
    console.info();
    printComparison(
      session.chat_ids.flatMap((chatId) => history[chatId] ?? []),
      durationMs,
    );
  },
};

function printComparison(records: ChatRecord[], durationMs: number): void {
  const times = records.map(({ duration_ms }) => duration_ms ?? 0);
  const longest = Math.max(...times);
  printTable(
    ["endpoint", "status", "time", "", "reply"],
    records.map(({ conn_id, status, duration_ms, predicted_result }) => ({
      cells: [
        conn_id,
        status,
        formatSeconds(duration_ms ?? 0),
        bar((duration_ms ?? 0) / longest),
        predicted_result ?? "",
      ],
      style: status === "ok" ? "reset" : "red",
    })),
  );
  const sum = times.reduce((total, time) => total + time, 0);
  const replied = records.filter(({ status }) => status === "ok").length;
  console.info();
  printRemark(
    `All endpoints together took ${formatSeconds(durationMs)}. One after the other, they would take ${formatSeconds(sum)}.`,
  );
  printRemark(`${replied} of ${records.length} replied. The failure is kept with its endpoint and affects no other.`);
}

const BAR_LENGTH = 16;

/** @param share of the longest time, from 0 to 1 */
const bar = (share: number): string => "━".repeat(Math.max(1, Math.round(share * BAR_LENGTH)));
