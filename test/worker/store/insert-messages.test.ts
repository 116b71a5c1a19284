/** Writing messages of several sessions in one batch. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { database } from "../../../src/store/database.ts";
import { insertRows, toBoundValues } from "../../../src/store/message-rows.ts";
import { get } from "../../support/api.ts";
import { replicatedContents } from "../../support/faults.ts";
import { createSession } from "../../support/create.ts";

it("writes messages of several sessions to their own rows, once when repeated, and none of a deleted session", async () => {
  const [first, second, gone] = [await createSession(), await createSession(), "6b0760990000000000000000"];
  const message = (seq: number, content: string) => ({
    seq,
    chatId: null,
    turnId: null,
    turnNumber: null,
    role: "user" as const,
    content,
    createdAt: 1_710_448_307_000,
    reply: null,
  });
  const at = Date.now() + 60_000;
  const rows = Array.from({ length: 9 }, (_, index) =>
    [first, gone, second].map((id) => toBoundValues(id, at)(message(index + 1, `${index + 1} of ${id}`))),
  ).flat();
  const db = database(env.DB);
  await env.DB.batch(insertRows(db, rows));
  await env.DB.batch(insertRows(db, rows));
  for (const id of [first, second]) {
    expect(await replicatedContents(id)).toEqual(Array.from({ length: 9 }, (_, index) => `${index + 1} of ${id}`));
    const { data } = (await get(`/sessions/${id}`)).body;
    expect(data).toMatchObject({ updatedAt: new Date(at).toISOString() });
    expect(data.messages).toHaveLength(9);
  }
  expect(await replicatedContents(gone)).toEqual([]);
});
