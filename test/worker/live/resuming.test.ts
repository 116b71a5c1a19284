/** A client that loses its connection again and again puts together the same session as one that does not. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { get, post } from "../../support/api.ts";
import { connect, followEvents } from "../../support/follow.ts";
import type { Event, EventInbox } from "../../support/follow.ts";
import { createComparison, createEndpoint } from "../../support/create.ts";

/** Puts together what several connections deliver, and notices every gap and every repeat. */
class SessionReader {
  lastSeq = 0;
  readonly messages: { seq: number; content: string }[] = [];
  readonly #replies = new Map<string, string>();
  readonly faults: string[] = [];

  /** Deltas of an earlier connection do not count: a new one repeats a running reply from its start. */
  connect(): void {
    this.#replies.clear();
  }

  receive(event: Event): void {
    if (event.type === "message-appended") this.#append(event);
    if (event.type === "reply-start") this.#replies.set(event["chatId"], "");
    if (event.type === "reply-delta") this.#add(event);
  }

  #append({ seq, chatId, role, content, status }: Event): void {
    if (seq !== this.lastSeq + 1) this.faults.push(`message ${seq} after ${this.lastSeq}`);
    this.lastSeq = seq;
    this.messages.push({ seq, content });
    const received = this.#replies.get(chatId);
    if (role === "assistant" && received !== undefined && received !== content) {
      this.faults.push(`received "${received}" of the ${status} reply "${content}"`);
    }
    this.#replies.delete(chatId);
  }

  #add({ chatId, offset, text }: Event): void {
    const received = this.#replies.get(chatId);
    if (received?.length !== offset) this.faults.push(`a delta at ${offset} after ${received?.length ?? "no start"}`);
    this.#replies.set(chatId, (received ?? "") + text);
  }
}

/** How a connection is made, and when it is cut: after so many events and then so many milliseconds. */
const cut = fc.record({
  over: fc.constantFrom("sse" as const, "ws" as const),
  events: fc.integer({ min: 0, max: 12 }),
  milliseconds: fc.integer({ min: 0, max: 60 }),
  cancel: fc.integer({ min: 0, max: 9 }).map((tenth) => tenth === 0),
});
type Cut = typeof cut extends fc.Arbitrary<infer T> ? T : never;

async function openStream(path: string, over: "sse" | "ws", after: number) {
  if (over === "ws") {
    const client = await connect(`${path}/ws?after=${after}`);
    return { inbox: client as EventInbox, close: () => client.socket.close(4000, "cut") };
  }
  const reader = await followEvents(`${path}/events`, undefined, { headers: { "last-event-id": String(after) } });
  return { inbox: reader as EventInbox, close: () => void reader.cut() };
}

/** Follows a session over several connections, each cut at its moment. */
async function followWithCuts(path: string, reader: SessionReader, cuts: Cut[]): Promise<void> {
  for (const { over, events, milliseconds, cancel } of cuts) {
    reader.connect();
    const { inbox, close } = await openStream(path, over, reader.lastSeq);
    const until = Date.now() + 500;
    while (inbox.events.length < events && Date.now() < until && reader.lastSeq < MESSAGES) await scheduler.wait(2);
    await scheduler.wait(milliseconds);
    if (cancel) await post(`${path}/cancel`);
    close();
    // What arrived before the cut counts, what arrives after it does not.
    for (const event of inbox.events.splice(0)) reader.receive(event);
  }
}

async function followToTheEnd(path: string, reader: SessionReader): Promise<void> {
  reader.connect();
  const { inbox, close } = await openStream(path, "ws", reader.lastSeq);
  const appended = () => inbox.events.filter(({ type }) => type === "message-appended").length;
  await inbox.until(({ events }) => events.length > 0 && reader.lastSeq + appended() >= MESSAGES);
  for (const event of inbox.events) reader.receive(event);
  close();
}

const PROMPTS = ["one two three four five six seven eight nine ten eleven", "and again, but not for long"];
const MESSAGES = 6;

it("delivers the same over any sequence of cut connections: no gap, no repeat", async () => {
  const endpoints = await Promise.all(
    [70, 150].map((tokens_per_second) => createEndpoint({ params: { tokens_per_second } })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 12 }), async (cuts) => {
      const session = await createComparison(endpoints);
      const path = `/v1/sessions/${session.session_id}`;
      const reader = new SessionReader();
      const turns = Promise.all(PROMPTS.map((prompt) => post(`${path}/prompt`, { prompt })));
      await followWithCuts(path, reader, cuts);
      await turns;
      await followToTheEnd(path, reader);
      expect(reader.faults).toEqual([]);
      expect(reader.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
      const { chat_history: history } = (await get(`${path}?include_history=true`)).body.session;
      const kept = (Object.values(history).flat() as Kept[]).map(textOf);
      expect(reader.messages.map(({ content }) => content).toSorted()).toEqual([...PROMPTS, ...kept].toSorted());
    }),
    { numRuns: 20 },
  );
}, 240_000);

interface Kept {
  status: string;
  predicted_result: string;
  partial_result: string | null;
}

const textOf = ({ status, predicted_result, partial_result }: Kept) =>
  status === "ok" ? predicted_result : (partial_result ?? "");
