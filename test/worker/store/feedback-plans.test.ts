/** Which index each list of feedback walks: that of the filter that leaves the fewest, in the order of the list. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { database } from "../../../src/store/database.ts";
import { listFeedback } from "../../../src/store/message-feedback.ts";
import type { FeedbackFilter } from "../../../src/store/message-feedback.ts";
import { recordedQueries } from "../../support/query-plans.ts";

const NONE: FeedbackFilter = { rating: null, chatbotId: null, clientId: null, tag: null, from: null, before: null };

/** How the plan of the page finds the rows of the list: its innermost steps. */
async function indexesOf(filter: Partial<FeedbackFilter>, skip = 0): Promise<string[]> {
  const before = new Set(recordedQueries());
  await listFeedback(database(env.DB), { ...NONE, ...filter }, { limit: 10, skip });
  const [page = ""] = [...recordedQueries()].filter((query) => !before.has(query) && query.includes("fits"));
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${page}`)
    .bind(...Array.from(page.matchAll(/\?/g), () => null))
    .all<{ detail: string }>();
  return [...new Set(results.map(({ detail }) => /INDEX (message_feedback_\w+)|PRIMARY KEY \(tag=/.exec(detail)))]
    .flatMap((match) => (match ? [match[1] ?? "tag"] : []))
    .filter((name, at, all) => all.indexOf(name) === at);
}

it("is that of the filter", async () => {
  const [rating, chatbotId, clientId, tag] = [-1 as const, "b", "c", "t"];
  expect(await indexesOf({})).toEqual(["message_feedback_newest"]);
  expect(await indexesOf({ from: 1, before: 2 })).toEqual(["message_feedback_newest"]);
  expect(await indexesOf({ rating })).toEqual(["message_feedback_by_rating"]);
  expect(await indexesOf({ chatbotId })).toEqual(["message_feedback_by_chatbot"]);
  expect(await indexesOf({ chatbotId, rating, from: 1 })).toEqual(["message_feedback_by_chatbot_and_rating"]);
  for (const others of [{ rating }, { chatbotId }, { rating, chatbotId, before: 2 }])
    expect(await indexesOf({ clientId, ...others })).toEqual(["message_feedback_by_client"]);
  for (const others of [{}, { rating }, { clientId }, { rating, chatbotId, clientId, from: 1, before: 2 }])
    expect(await indexesOf({ tag, ...others })).toEqual(["tag"]);
});
