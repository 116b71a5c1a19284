/** Which summary a turn continues: the newest one that is of its conversation. */
import { describe, expect, it } from "vitest";
import type { Message, SummaryRecord } from "../../../src/core/message.ts";
import { planTurn } from "../../../src/live/turns/plan-turn.ts";
import { makeReplyDetail } from "../../support/replies.ts";
import { aChatSession, aChatbot, aWorld, anEndpoint } from "../../support/session-world.ts";

const SUMMARIES: Record<number, Pick<SummaryRecord, "text" | "upTo" | "previousSeq">> = {
  4: { text: "The first summary", upTo: 2, previousSeq: null },
  8: { text: "", upTo: 0, previousSeq: 4 },
  10: { text: "The second summary", upTo: 8, previousSeq: 4 },
};

const summaryOf = (seq: number): SummaryRecord | undefined =>
  SUMMARIES[seq] && { ...SUMMARIES[seq], endpointId: "endpoint", calls: 1, usage: null, prices: null, error: null };

const messageOf = (seq: number): Message => {
  const summary = summaryOf(seq);
  const sent = { maxTokens: 1000, characters: 10, estimatedTokens: 3, kept: 1, dropped: 0, isTrimmed: true };
  const reply = makeReplyDetail({ context: { ...sent, ...(summary ? { summary } : {}) } });
  const common = { seq, chatId: aChatSession().id, turnId: null, turnNumber: null, createdAt: 1 };
  return seq % 2 === 1
    ? { ...common, role: "user", content: `message ${seq}`, reply: null }
    : { ...common, role: "assistant", content: `message ${seq}`, reply };
};

/**
 * What is sent, in a session of twelve messages.
 *
 * @param seq the prompt, if it is one of them
 * @param place what the reply follows, if not the end of the path
 */
async function sentFor(seq: number | null, place: { parentSeq?: number } = {}): Promise<string[]> {
  const session = aChatSession({ lastSeq: 12, messageCount: 12 });
  const world = aWorld(session);
  const chatbot = { ...aChatbot, context: { maxTokens: 1000, keep: "summary" as const } };
  const client = { id: "client", name: "Ada", email: null, externalId: null, metadata: null };
  const chat = { chatbot, endpoint: anEndpoint, client: { ...client, createdAt: 0, updatedAt: 0, deletedAt: null } };
  world.records.readTurnContext = async () => ({ of: "chat", chat });
  world.log.beginLoad();
  const bytes = world.log.loadMessages(
    Array.from({ length: 12 }, (_, n) => messageOf(n + 1)),
    1,
  );
  world.log.finishLoad(session, bytes, { of: "chat", chat });
  const planned = await planTurn(world, session, { content: "prompt", seq, ...place });
  const call = planned.ok ? planned.value.tasks[0]?.call : null;
  return call && "request" in call ? call.request.messages.map(({ content }) => content) : [];
}

const messages = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `message ${from + n}`);

describe("a turn", () => {
  it("sends the newest summary and what follows it", async () => {
    expect(await sentFor(null)).toEqual([expect.stringContaining("The second summary"), ...messages(9, 12), "prompt"]);
  });

  it("in the place of an earlier answer sends the newest summary of what came before it", async () => {
    const sent = await sentFor(7, { parentSeq: 7 });
    expect(sent).toEqual([expect.stringContaining("The first summary"), ...messages(3, 6), "prompt"]);
  });

  it("before every summary sends none", async () => {
    expect(await sentFor(1, { parentSeq: 1 })).toEqual(["prompt"]);
  });

  it("whose prompt is repeated at the end of the path sends what followed it, and the prompt once", async () => {
    const summary = expect.stringContaining("The second summary");
    expect(await sentFor(7)).toEqual([summary, ...messages(9, 12), "prompt"]);
    // What is sent behind a summary does not begin with an answer.
    expect(await sentFor(9)).toEqual([summary, ...messages(11, 12), "prompt"]);
  });
});
