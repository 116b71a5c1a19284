/** Ids of sessions, chats and endpoints that are made from names, against vectors of Moonshot's behaviour. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { chatIdOf } from "../../../src/routes/moonshot-shared/sessions/chat-id.ts";
import { slug } from "../../../src/store/slug.ts";
import { database } from "../../../src/store/database.ts";
import vectors from "../../fixtures/conformance/slug-vectors.json";

const db = database(env.DB);

describe("slug", () => {
  it.each(vectors.slug)("writes $in as $out", async ({ in: name, out }) => {
    expect(await slug(db, name)).toBe(out);
  });

  it.each(vectors.chat_id)("makes the chat id $chat_id", async ({ endpoint, created_datetime, chat_id }) => {
    expect(chatIdOf(await slug(db, endpoint), created_datetime)).toBe(chat_id);
  });

  it.each([
    ["한국어", "hangugeo"],
    ["Ελληνικά", "ellinika"],
    ["emoji 🎉 here", "emoji-here"],
    ["x&Scaron;y &copy; &nope;", "xsy-nope"],
  ])("writes %s as %s", async (name, out) => {
    expect(await slug(db, name)).toBe(out);
  });
});
