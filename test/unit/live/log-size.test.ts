/** The size of a log, its limits, and the load of a log in pages. */
import { describe, expect, it } from "vitest";
import { MAX_LOG_BYTES, MAX_LOG_MESSAGES } from "../../../src/core/message.ts";
import type { Message } from "../../../src/core/message.ts";
import { runFrame } from "../../../src/live/frame-commands.ts";
import { Log } from "../../../src/live/log/log.ts";
import { SCHEMA_STEPS, migrate } from "../../../src/live/log/schema.ts";
import { SessionRoom } from "../../../src/live/session-room.ts";
import { makeReplyDetail } from "../../support/replies.ts";
import { aChatSession, aWorld, memoryStorage, says } from "../../support/session-world.ts";
import type { Endpoint } from "../../support/session-world.ts";

const NO_CONTEXT = { of: "chat", chat: { chatbot: null, endpoint: null, client: null } } as const;

const message = (seq: number, content: string, fields: Partial<Message> = {}): Message => ({
  seq,
  chatId: null,
  turnId: null,
  turnNumber: null,
  role: "user",
  content,
  createdAt: 1,
  reply: null,
  ...fields,
});

const user = (content: string) => ({ role: "user" as const, content, createdAt: null });
const key = (name: string) => ({ caller: "ada", key: name });

/** A room whose session is loaded with a log of a size. */
async function roomWith({ messages = 0, bytes = 0 }, endpoint?: Endpoint) {
  const world = aWorld(aChatSession(), endpoint);
  const room = new SessionRoom(world);
  const context = await world.records.readTurnContext(aChatSession());
  world.log.beginLoad();
  world.log.finishLoad(aChatSession({ lastSeq: messages }), bytes, context);
  return { world, room };
}

describe("the size of a log", () => {
  it("counts bytes of texts and details, and is known after a restart without being written", () => {
    const storage = memoryStorage();
    const log = new Log(storage);
    log.beginLoad();
    const loaded = log.loadMessages([message(1, "añ😀")], 1);
    expect(loaded).toBe(7);
    log.finishLoad(aChatSession({ lastSeq: 1 }), loaded, NO_CONTEXT);
    const reply = makeReplyDetail({ preparedPrompt: "é" });
    log.append([message(0, "one"), message(0, "", { role: "assistant", reply })], 2);
    const expected = 7 + 3 + new TextEncoder().encode(JSON.stringify(reply)).byteLength;
    expect(log.loadedState.bytes).toBe(expected);
    expect(new Log(storage).loadedState).toEqual(log.loadedState);
    log.saveCursor();
    expect(new Log(storage).loadedState.bytes).toBe(expected);
  });

  it("is counted once for a log of an earlier version", () => {
    const storage = memoryStorage();
    const { sql } = storage;
    migrate(sql, SCHEMA_STEPS.slice(0, 2));
    const session = aChatSession({ lastSeq: 1 });
    const state = { session, replicated: { lastSeq: 1, metadataVersion: 0 }, turn: null, deadLetters: [] };
    sql.exec("INSERT INTO state (one, state) VALUES (1, ?)", JSON.stringify(state));
    // The second message is not in the state yet.
    for (const [seq, content] of [
      [1, "añ"],
      [2, "three"],
    ] as const)
      sql.exec(
        "INSERT INTO messages (seq, role, content, created_at, appended_at) VALUES (?, 'user', ?, 1, 1)",
        seq,
        content,
      );
    expect(new Log(storage).loadedState).toMatchObject({ bytes: 8, session: { lastSeq: 2 } });
  });
});

describe("a load that was interrupted", () => {
  it("leaves no session, and starts again", () => {
    const storage = memoryStorage();
    const interrupted = new Log(storage);
    interrupted.beginLoad();
    interrupted.loadMessages([message(1, "one", { turnId: "t", turnNumber: 1 })], 1);
    const log = new Log(storage);
    expect(log.state).toBeNull();
    log.beginLoad();
    const bytes = log.loadMessages([message(1, "one", { turnId: "t", turnNumber: 1 }), message(2, "two")], 1);
    log.finishLoad(aChatSession({ lastSeq: 2 }), bytes, NO_CONTEXT);
    expect(log.messages(0, 10).items.map(({ content }) => content)).toEqual(["one", "two"]);
    expect(log.loadedState.bytes).toBe(6);
  });
});

describe("a full log", () => {
  it("takes the last message and no more, but still gives the first answer under a key", async () => {
    const { room } = await roomWith({ messages: MAX_LOG_MESSAGES - 1 });
    const last = await room.append(user("last"), key("a"));
    expect(last).toMatchObject({ ok: true, value: { message: { seq: MAX_LOG_MESSAGES } } });
    expect(await room.append(user("more"), null)).toMatchObject({ failure: { reason: "session-full" } });
    expect(await room.append(user("last"), key("a"))).toMatchObject({ ok: true, value: { replayed: true } });
    expect(await room.prompt({ content: "more" }, "added", null)).toMatchObject({
      failure: { reason: "session-full" },
    });
  });

  it("is one of 256 MB too", async () => {
    const { room } = await roomWith({ messages: 10, bytes: MAX_LOG_BYTES });
    expect(await room.append(user("more"), null)).toMatchObject({ failure: { reason: "session-full" } });
  });

  it("gets the replies of a turn that began before, and refuses turns that wait", async () => {
    const { room, world } = await roomWith({ messages: MAX_LOG_MESSAGES - 1 }, async () => says("Hello"));
    const [first, second] = await Promise.all([
      room.prompt({ content: "one" }, "added", null),
      room.prompt({ content: "two" }, "added", null),
    ]);
    expect(first.ok && first.value.messages.map(({ seq }) => seq)).toEqual([MAX_LOG_MESSAGES, MAX_LOG_MESSAGES + 1]);
    expect(second).toMatchObject({ failure: { reason: "session-full" } });
    expect(world.log.loadedState.session.lastSeq).toBe(MAX_LOG_MESSAGES + 1);
  });

  it("can still be changed and ended", async () => {
    const { room } = await roomWith({ messages: MAX_LOG_MESSAGES });
    expect((await room.amend({ title: "full" }, "added")).ok).toBe(true);
    expect((await room.end("added")).ok).toBe(true);
  });

  it("is reported to a socket by a failure", async () => {
    const { room } = await roomWith({ messages: MAX_LOG_MESSAGES });
    const caller = { role: "admin", id: "admin", clientId: null, keyId: null, expiresAt: null } as const;
    for (const frame of [
      { type: "message-append", id: "1", role: "user", content: "more" },
      { type: "prompt-submit", id: "2", content: "more" },
    ] as const)
      expect(await runFrame(room, frame, caller, "chatbot", () => undefined)).toMatchObject({
        type: "failure",
        id: frame.id,
        code: "session_full",
      });
  });
});
