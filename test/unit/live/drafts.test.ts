/** Drafts of running replies: when they are saved, and in what row. */
import { Buffer } from "node:buffer";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_REPLY_CHARACTERS, MAX_ROW_BYTES } from "../../../src/core/message.ts";
import { fromDraftRow, toDraftRow } from "../../../src/live/log/draft-row.ts";
import { Log } from "../../../src/live/log/log.ts";
import { Drafts } from "../../../src/live/turns/drafts.ts";
import { aChatSession, memoryStorage } from "../../support/session-world.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function drafts(...chatIds: string[]) {
  const saved: Record<string, string>[] = [];
  const running = new Drafts((texts) => saved.push(Object.fromEntries(texts)));
  for (const chatId of chatIds) running.start(chatId);
  return { running, saved };
}

describe("drafts", () => {
  it("are saved together, five seconds after the first text that is not saved, and not again until there is more", () => {
    const { running, saved } = drafts("a", "b");
    running.add("a", "one ");
    vi.advanceTimersByTime(4_999);
    running.add("b", "two");
    running.add("a", "three");
    expect(saved).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(saved).toEqual([{ a: "one three", b: "two" }]);
    vi.advanceTimersByTime(60_000);
    expect(saved).toHaveLength(1);
    running.add("b", "!");
    vi.advanceTimersByTime(5_000);
    expect(saved).toHaveLength(2);
  });

  it("are saved earlier after 16,384 characters of all replies together, and the timer begins anew", () => {
    const { running, saved } = drafts("a", "b");
    running.add("a", "x".repeat(8_192));
    vi.advanceTimersByTime(4_000);
    running.add("b", "y".repeat(8_191));
    expect(saved).toEqual([]);
    running.add("b", "y");
    expect(saved).toHaveLength(1);
    running.add("a", "z");
    vi.advanceTimersByTime(4_999);
    expect(saved).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(saved).toHaveLength(2);
  });

  it("have no text of a reply that has ended, and are not saved when none runs or the turn has ended", () => {
    const { running, saved } = drafts("a", "b");
    running.add("a", "one");
    running.add("b", "two");
    running.end("a");
    expect(running.add("a", "late")).toBeNull();
    vi.advanceTimersByTime(5_000);
    expect(saved).toEqual([{ b: "two" }]);
    running.add("b", "more");
    running.end("b");
    vi.advanceTimersByTime(5_000);
    expect(saved).toHaveLength(1);
    running.start("c");
    running.add("c", "text");
    running.close();
    vi.advanceTimersByTime(5_000);
    expect(saved).toHaveLength(1);
  });

  it("say where a text begins", () => {
    const { running } = drafts("a");
    expect([running.add("a", "one"), running.add("a", "two"), running.add("other", "x")]).toEqual([0, 3, null]);
  });
});

describe("the row of drafts", () => {
  it("is one, however many replies run", () => {
    const storage = memoryStorage();
    const log = new Log(storage);
    log.beginLoad();
    log.finishLoad(aChatSession(), 0, { of: "comparison", comparison: { endpoints: [], template: null } });
    const texts = new Map(Array.from({ length: 64 }, (_, n) => [`chat-${n}`, `text ${n}`]));
    log.saveDrafts(texts);
    log.saveDrafts(texts);
    expect(storage.sql.exec("SELECT * FROM drafts").toArray()).toHaveLength(1);
    expect(log.drafts()).toEqual(texts);
    log.startTurn("next", { chatIds: [] }, 1);
    expect(log.drafts()).toEqual(new Map());
  });

  it.each([
    ["ASCII", "x"],
    ["line breaks", "\n"],
    ["characters of three bytes", "漢"],
    ["control characters", "\u0001"],
    ["characters outside the basic plane", "🙂"],
    ["halves of such characters", "\ud83d"],
  ])("fits with 64 replies that are as long as they may be: %s", (_, character) => {
    const text = character.repeat(MAX_REPLY_CHARACTERS / character.length);
    const texts = new Map(
      Array.from({ length: 64 }, (__, n) => [`an-endpoint-with-a-long-name-${n}_20261126-163519`, text]),
    );
    const row = toDraftRow(texts);
    expect(Buffer.byteLength(row)).toBeLessThanOrEqual(MAX_ROW_BYTES);
    const saved = fromDraftRow(row);
    expect([...saved.keys()]).toEqual([...texts.keys()]);
    const lengths = new Set([...saved.values()].map(({ length }) => length));
    expect(lengths.size).toBe(1);
    expect(Math.min(...lengths)).toBeGreaterThan(4_900);
    for (const draft of saved.values()) expect(text.startsWith(draft)).toBe(true);
  });

  it("has the whole text of one long reply", () => {
    const texts = new Map([["chat", "漢".repeat(MAX_REPLY_CHARACTERS)]]);
    expect(fromDraftRow(toDraftRow(texts))).toEqual(texts);
  });
});
