/** The rules of a session: changes, start and end; also ids and pages. */
import { BOT_HANDLING } from "../../../src/core/handover.ts";
import { describe, expect, it } from "vitest";
import { asObjectId, newObjectId } from "../../../src/core/id.ts";
import { paginatorInfo } from "../../../src/core/page.ts";
import type { Session } from "../../../src/core/session.ts";
import { amendSession, endSession, revision, applyDueChanges } from "../../../src/core/session.ts";

const T = 1_000_000;

const session = (fields: Partial<Session> = {}): Session => ({
  id: "65f3a1b2c4d5e6f708192a3d",
  kind: "chatbot",
  title: null,
  description: null,
  status: "ACTIVE",
  startTime: T,
  endTime: null,
  dueAt: null,
  chatbotId: null,
  clientId: null,
  chats: [],
  promptTemplate: null,
  contextStrategy: null,
  previousPrompts: null,
  systemPrompt: null,
  attackModule: null,
  bridge: null,
  metadata: null,
  feedback: null,
  createdAt: T,
  updatedAt: T,
  lastSeq: 3,
  metadataVersion: 2,
  messageCount: 3,
  archive: null,
  activePath: null,
  ...BOT_HANDLING,
  ...fields,
});

const amended = (before: Session, changes: Parameters<typeof amendSession>[1], at = T + 100) => {
  const outcome = amendSession(before, changes, at);
  if (!outcome.ok) throw new Error("refused");
  return outcome.value;
};

describe("amendSession", () => {
  it("increments the revision with every change, and only then", () => {
    const before = session();
    expect(revision(amended(before, { title: "x" }))).toBe(revision(before) + 1);
    expect(amended(before, {})).toBe(before);
    expect(amended(before, { title: undefined })).toBe(before);
  });

  it.each([
    ["ending sets the end", {}, { status: "COMPLETED" }, { endTime: T + 100 }],
    ["ending keeps a given end", {}, { status: "TERMINATED", endTime: T + 5 }, { endTime: T + 5 }],
    [
      "another ended status keeps the first end",
      { status: "COMPLETED", endTime: T + 7 },
      { status: "TERMINATED" },
      { endTime: T + 7 },
    ],
    ["a return to ACTIVE clears it", { status: "COMPLETED", endTime: T + 7 }, { status: "ACTIVE" }, { endTime: null }],
    ["an end alone ends nothing", {}, { endTime: T + 9 }, { status: "ACTIVE", endTime: T + 9 }],
    [
      "a start ahead is awaited",
      { status: "SCHEDULED" },
      { startTime: T + 500 },
      { status: "SCHEDULED", dueAt: T + 500, startTime: T + 500 },
    ],
    ["parking waits for nobody", {}, { status: "SCHEDULED" }, { status: "SCHEDULED", dueAt: null }],
    [
      "an early start begins now",
      { status: "SCHEDULED", startTime: T + 500, dueAt: T + 500 },
      { status: "ACTIVE" },
      { startTime: T + 100, dueAt: null },
    ],
  ] as const)("%s", (_, before, changes, after) => {
    expect(amended(session(before), changes)).toMatchObject(after);
  });

  it.each([
    [{ endTime: T - 1 }, "endTime"],
    [{ status: "ACTIVE", endTime: T + 1 }, "endTime"],
    [{ startTime: T + 1 }, "startTime"],
  ] as const)("refuses %j", (changes, path) => {
    expect(amendSession(session(), changes, T)).toMatchObject({
      ok: false,
      failure: { reason: "invalid", issues: [{ path: [path] }] },
    });
  });
});

it("ends active sessions only", () => {
  expect(endSession(session(), T + 1)).toMatchObject({ ok: true, value: { status: "COMPLETED", endTime: T + 1 } });
  for (const status of ["COMPLETED", "TERMINATED", "SCHEDULED"] as const) {
    expect(endSession(session({ status }), T)).toEqual({ ok: false, failure: { reason: "session-not-active" } });
  }
});

it("starts a session when it is due, and not before", () => {
  const waiting = session({ status: "SCHEDULED", dueAt: T + 10 });
  expect(applyDueChanges(waiting, T + 9)).toBe(waiting);
  expect(applyDueChanges(waiting, T + 10)).toMatchObject({ status: "ACTIVE", dueAt: null });
  const parked = session({ status: "SCHEDULED" });
  expect(applyDueChanges(parked, T * 2)).toBe(parked);
});

it("makes ids that sort by time", () => {
  const ids = [1_710_448_307_000, 1_710_448_307_000, 1_710_448_307_001, 1_710_448_308_000].map(newObjectId);
  expect(ids.toSorted()).toEqual(ids);
  expect(ids.every((id) => asObjectId(id) === id && id.startsWith("65f3"))).toBe(true);
  expect(asObjectId("65F3A1B2C4D5E6F708192A3D")).toBe("65f3a1b2c4d5e6f708192a3d");
  expect(asObjectId("65f3")).toBeNull();
});

it.each([
  [0, 10, 0, { count: 0, currentPage: 1, hasMorePages: false, lastPage: 1 }],
  [21, 10, 10, { count: 10, currentPage: 2, hasMorePages: true, lastPage: 3 }],
  [21, 10, 15, { count: 6, currentPage: 2, hasMorePages: false, lastPage: 3 }],
  [5, 10, 100, { count: 0, currentPage: 11, hasMorePages: false, lastPage: 1 }],
])("computes the pages of %i results by %i from %i", (total, limit, skip, expected) => {
  const results = Array.from({ length: Math.max(0, Math.min(limit, total - skip)) });
  expect(paginatorInfo({ results, total }, { limit, skip })).toEqual({ ...expected, limit, perPage: limit, total });
});
