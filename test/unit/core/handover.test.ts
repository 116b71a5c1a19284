/** The rules of hand-overs between the bot and a person. */
import { describe, expect, it } from "vitest";
import { BOT_HANDLING, handBack, keepHandling, requestHuman, takeOver } from "../../../src/core/handover.ts";
import { amendSession, applyDueChanges, changeHandler, handbackTimeOf } from "../../../src/core/session.ts";
import { aChatSession } from "../../support/session-world.ts";

const T = 1_000_000;
const GRACE = { operator: { id: "grace", name: "Grace" }, reason: null, timeoutMs: 60_000 };
const taken = takeOver(BOT_HANDLING, GRACE, T);

describe("the time after which the bot takes over again", () => {
  it("begins with the take-over, and again with each message of the person", () => {
    expect(taken.handover?.handbackAt).toBe(T + 60_000);
    expect(keepHandling(taken, T + 5).handover?.handbackAt).toBe(T + 60_005);
  });

  it("ends with the hand-back, also if an operator writes later", () => {
    const bots = handBack(taken, null, T + 5);
    expect(keepHandling(bots, T + 10)).toBe(bots);
    expect(handbackTimeOf(aChatSession(bots))).toBe(Infinity);
  });

  it("counts only while a person answers in an active session", () => {
    const session = aChatSession(taken);
    expect(handbackTimeOf(session)).toBe(T + 60_000);
    expect(handbackTimeOf({ ...session, status: "SCHEDULED" })).toBe(Infinity);
    expect(applyDueChanges(session, T + 59_999)).toBe(session);
    const due = applyDueChanges(session, T + 60_000);
    expect(due).toMatchObject({ handler: "bot", metadataVersion: session.metadataVersion + 1 });
    expect(applyDueChanges(due, T * 2)).toBe(due);
  });
});

it("nobody waits or answers in a session that is not active any more", () => {
  for (const handling of [taken, requestHuman(BOT_HANDLING, null, T)])
    for (const status of ["SCHEDULED", "COMPLETED", "TERMINATED"] as const)
      expect(amendSession(aChatSession(handling), { status }, T)).toMatchObject({
        ok: true,
        value: { handler: "bot" },
      });
  const ended = aChatSession({ status: "COMPLETED" });
  expect(changeHandler(ended, () => taken, T)).toMatchObject({ failure: { reason: "session-not-active" } });
});

it("the reason of who asked for a person stays with the person who comes, unless there is a new one", () => {
  const waiting = requestHuman(BOT_HANDLING, "lost", T);
  expect(takeOver(waiting, GRACE, T).handover?.reason).toBe("lost");
  expect(takeOver(waiting, { ...GRACE, reason: "mine" }, T).handover?.reason).toBe("mine");
  expect(takeOver(handBack(waiting, null, T), GRACE, T).handover?.reason).toBeNull();
});

it("the last note stays for the next person, and one that comes late is kept", () => {
  const handed = handBack(taken, "A lost parcel", T);
  expect(requestHuman(handed, "again", T).handover).toMatchObject({
    reason: "again",
    operator: null,
    note: "A lost parcel",
  });
  expect(takeOver(handed, GRACE, T).handover?.note).toBe("A lost parcel");
  expect(handBack(handed, "Found it", T + 5)).toMatchObject({ handlerSince: T, handover: { note: "Found it" } });
  expect(handBack(handed, null, T + 5)).toBe(handed);
});

it("a person who takes over from another does not take over the reason", () => {
  const first = takeOver(BOT_HANDLING, { ...GRACE, reason: "mine" }, T);
  expect(takeOver(first, { ...GRACE, operator: { id: "ada", name: "Ada" } }, T).handover?.reason).toBeNull();
});

it("a repeated take-over by the same person keeps its reason, and one by another does not", () => {
  const asked = requestHuman(BOT_HANDLING, "It is urgent", T);
  const first = takeOver(asked, GRACE, T);
  expect(takeOver(first, GRACE, T + 1).handover?.reason).toBe("It is urgent");
  const { handover } = takeOver(first, { ...GRACE, operator: { id: "ada", name: "Ada" } }, T + 1);
  expect(handover?.reason).toBeNull();
});
