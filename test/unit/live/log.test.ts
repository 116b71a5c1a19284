/** The storage of an object: steps from an older version to the newest. */
import { describe, expect, it } from "vitest";
import { Log } from "../../../src/live/log/log.ts";
import { SCHEMA_STEPS, migrate } from "../../../src/live/log/schema.ts";
import { aChatSession, memoryStorage } from "../../support/session-world.ts";

describe("a log of the first version", () => {
  it("takes the next steps, with its state, its keys and its turns", () => {
    const storage = memoryStorage();
    const { sql } = storage;
    migrate(sql, SCHEMA_STEPS.slice(0, 1));
    const { metadataVersion: amendments, ...session } = aChatSession({ lastSeq: 3, metadataVersion: 2 });
    const state = {
      session: { ...session, amendments },
      carried: { lastSeq: 1, amendments: 1 },
      turn: { turnId: "second", chatIds: [session.id] },
      parked: [2],
      removed: false,
    };
    sql.exec("INSERT INTO state (one, state) VALUES (1, ?)", JSON.stringify(state));
    for (const [seq, turn] of [
      [1, "first"],
      [2, "first"],
      [3, "second"],
    ] as const) {
      const query =
        "INSERT INTO messages (seq, chat_id, turn_id, role, content, created_at, appended_at) VALUES (?, 'c', ?, 'user', 'text', ?, 1)";
      sql.exec(query, seq, turn, 100 + seq);
    }
    sql.exec("INSERT INTO acknowledged (caller, key, fingerprint, seq, at) VALUES ('ada', 'k', 'f', 1, 1)");

    const log = new Log(storage);
    expect(log.state).toMatchObject({
      session: { id: session.id, metadataVersion: 2 },
      // From the start: D1 may have messages without their turns.
      replicated: { lastSeq: 0, metadataVersion: 1 },
      turn: { turnId: "second", chatIds: [session.id], number: 2, startedAt: 103 },
      deadLetters: [2],
      removed: false,
    });
    expect(log.messages(0, 10).items.map(({ turnNumber }) => turnNumber)).toEqual([1, 1, 2]);
    expect(log.results.find("ada", "k")).toMatchObject({ seq: 1 });
    log.endTurn();
    expect(log.startTurn("third", { chatIds: ["c"] }, 200)).toEqual({ turnId: "third", number: 3, startedAt: 200 });
  });

  it("keeps the drafts of replies that run, cut so that they fit into a row", () => {
    const storage = memoryStorage();
    const { sql } = storage;
    migrate(sql, SCHEMA_STEPS.slice(0, 3));
    for (const chatId of ["a", "b"])
      sql.exec("INSERT INTO drafts (chat_id, content) VALUES (?, ?)", chatId, `${chatId}"\n${"x".repeat(10_000)}`);
    sql.exec("INSERT INTO state (one, state) VALUES (1, ?)", JSON.stringify({ session: aChatSession() }));
    expect(new Log(storage).drafts()).toEqual(
      new Map(["a", "b"].map((chatId) => [chatId, `${chatId}"\n${"x".repeat(4_093)}`])),
    );
  });

  it("numbers a running turn that has no message yet", () => {
    const storage = memoryStorage();
    const { sql } = storage;
    migrate(sql, SCHEMA_STEPS.slice(0, 1));
    const { metadataVersion: amendments, ...session } = aChatSession({ lastSeq: 1 });
    const turn = { turnId: "again", chatIds: [session.id] };
    const state = { session: { ...session, amendments }, carried: { lastSeq: 1, amendments }, turn, parked: [] };
    sql.exec("INSERT INTO state (one, state) VALUES (1, ?)", JSON.stringify(state));
    sql.exec(
      "INSERT INTO messages (seq, chat_id, turn_id, role, content, created_at, appended_at) VALUES (1, 'c', 'first', 'user', 'text', 1, 1)",
    );
    const log = new Log(storage);
    expect(log.state?.turn).toMatchObject({ turnId: "again", number: 2 });
    expect(log.state?.turn?.startedAt).toBeGreaterThan(0);
    log.endTurn();
    expect(log.startTurn("third", { chatIds: ["c"] }, 200)).toMatchObject({ number: 3 });
  });
});
