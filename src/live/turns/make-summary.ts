/**
 * Makes the summary that a turn needs: calls the endpoint for one part of the conversation after another. Each call has the
 * limits, guards and deadlines of any call. What is sent is in `turn/summary.ts`. Effects: calls to the endpoint.
 */
import type { ReplyError, SummaryRecord, Usage } from "../../core/message.ts";
import type { ReplyEnd, ReplyFailure, ReplyRequest } from "../../core/reply.ts";
import { replyFailure } from "../../core/reply.ts";
import type { FanOutPorts } from "../../turn/fan-out.ts";
import { MAX_SUMMARY_CALLS, textBefore } from "../../turn/summary.ts";
import type { SummaryTask } from "../../turn/summary.ts";

const NO_ROOM: ReplyError = {
  code: "refused_by_guard",
  message: "The chatbot's maxTokens leaves no room for a summary.",
};

const EMPTY: ReplyError = { code: "refused_by_guard", message: "The endpoint answered with an empty summary." };

/** A summary, not yet in its place in the log. */
export type MadeSummary = Omit<SummaryRecord, "previousSeq">;

interface SummaryPorts {
  callEndpoints: FanOutPorts["callEndpoints"];
  /** Aborted to stop the turn. */
  signal: AbortSignal;
}

/** Makes a summary. If a call fails, it covers only what the calls before it have summarised. Never rejects. */
export async function makeSummary(task: SummaryTask, ports: SummaryPorts): Promise<MadeSummary> {
  const { endpointId, prices, previous, messages, maxText, maxSummary, requestFor } = task;
  let record: MadeSummary = { text: "", upTo: 0, endpointId, calls: 0, usage: null, prices, error: null };
  let before = textBefore(previous?.text ?? null);
  for (let call = 0; call < MAX_SUMMARY_CALLS && !messages.isEmpty; call += 1) {
    const part = messages.take(maxText - before.length);
    if (!part) return { ...record, error: NO_ROOM };
    const request = requestFor(before + part.text);
    if ("error" in request) return { ...record, error: request.error };
    const answer = await ask(request, ports);
    record = { ...record, calls: record.calls + (answer.final.metrics?.calls ?? 1), usage: addUsage(record, answer) };
    const error = errorOf(answer);
    if (error) return { ...record, error };
    const text = answer.text.slice(0, maxSummary).toWellFormed();
    before = textBefore(text);
    record = { ...record, text, upTo: part.upTo };
  }
  return record;
}

interface Answer {
  text: string;
  final: ReplyEnd | ReplyFailure;
}

async function ask(request: ReplyRequest, { callEndpoints, signal }: SummaryPorts): Promise<Answer> {
  let text = "";
  let final: Answer["final"] = replyFailure("connection_lost", "The call to the endpoint broke off.");
  await callEndpoints([{ chatId: "summary", request, signal }], (_, events) => {
    for (const event of events) {
      if (event.type === "text") text += event.text;
      else final = event;
    }
  });
  return { text, final };
}

function errorOf({ text, final }: Answer): ReplyError | null {
  if (final.type === "failed") return { code: final.code, message: final.message };
  return text.trim() === "" ? EMPTY : null;
}

function addUsage({ usage }: MadeSummary, { final }: Answer): Usage | null {
  const added = final.type === "end" ? final.usage : null;
  if (!added || !usage) return added ?? usage;
  return {
    inputTokens: usage.inputTokens + added.inputTokens,
    outputTokens: usage.outputTokens + added.outputTokens,
  };
}
