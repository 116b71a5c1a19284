/** Which rows and indexes a change of a session writes in D1. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { changedFields } from "../../../src/core/session.ts";
import type { Session, SessionChanges } from "../../../src/core/session.ts";
import { database } from "../../../src/store/database.ts";
import { findSession, writeSession } from "../../../src/store/sessions.ts";
import { get, put } from "../../support/api.ts";
import { createSession } from "../../support/create.ts";
import { breakD1, countWrites, crash } from "../../support/faults.ts";

const db = database(env.DB);

/** A session that was used before: D1 notes the first use. */
async function createUsedSession(): Promise<string> {
  const id = await createSession({ title: "A title" });
  await write(id, {});
  return id;
}

/** Writes a change of a session. @returns the session then, and the rows that D1 wrote, those of indexes and triggers included */
async function write(id: string, change: Partial<Session>) {
  const session = await findSession(db, id);
  if (!session) throw new Error("No session");
  const changed = {
    ...session,
    ...change,
    metadataVersion: session.metadataVersion + 1,
    updatedAt: session.updatedAt + 1,
  };
  const rowsWritten = await countWrites(() => writeSession(db, changed, [], changedFields(session, changed)));
  return { changed, rowsWritten };
}

describe("a change of a session in D1", () => {
  it.each<[string, Partial<Session>]>([
    ["metadata", { metadata: '{"a":1}' }],
    ["feedback", { feedback: { rating: 5, comment: "good" } }],
    ["the end time", { endTime: 1_900_000_000_000 }],
    ["nothing but the version", {}],
  ])("of %s writes the row and no index", async (_, change) => {
    const id = await createUsedSession();
    const { changed, rowsWritten } = await write(id, change);
    expect(rowsWritten).toBe(1);
    expect(await findSession(db, id)).toEqual(changed);
  });

  it("of the status writes the indexes by status, and not those of the title", async () => {
    const id = await createUsedSession();
    const { changed, rowsWritten } = await write(id, { status: "COMPLETED", endTime: 1_900_000_000_000 });
    // The row, an old and a new entry of two indexes, and the counts.
    expect(rowsWritten).toBeLessThanOrEqual(8);
    expect(await findSession(db, id)).toEqual(changed);
    const { body } = await get("/sessions?status=COMPLETED");
    expect(body.data.results.map((session: { id: string }) => session.id)).toEqual([id]);
  });

  it("of the title changes what a search finds", async () => {
    const id = await createSession({ title: "Before" });
    await write(id, { title: "Größe" });
    const found = async (title: string) =>
      (await get(`/sessions?searchString=${encodeURIComponent(title)}`)).body.data.paginatorInfo.total;
    expect([await found("größe"), await found("before")]).toEqual([1, 0]);
  });

  it("sets every field that changed since D1 was last written, after a crash too", async () => {
    const id = await createSession({ title: "One" });
    await put(`/sessions/${id}`, { feedback: { rating: 4 } });
    const amend = (changes: SessionChanges) => env.SESSIONS.getByName(id).amend({ changes, history: "added" });
    const repairD1 = breakD1();
    for (const changes of [{ metadata: '{"a":1}' }, { title: "Two" }, { title: "Three" }]) await amend(changes);
    await crash(id);
    await amend({ feedback: null });
    repairD1();
    await env.SESSIONS.getByName(id).catchUp();
    expect(await findSession(db, id)).toMatchObject({ title: "Three", metadata: '{"a":1}', feedback: null });
  });
});
