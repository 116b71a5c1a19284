/** Answers with a reply: whole, or as a stream. Effects: reads the reply. */
import type { Context } from "hono";
import type { ReplyEnd } from "../../core/reply.ts";
import { waitAtMost } from "../../core/time-limit.ts";
import type { AppEnv } from "../http/context.ts";
import { respondWithProblem } from "../http/respond-with-problem.ts";
import { wholeReply } from "../http/open-reply.ts";
import type { FinalEvent, OpenReply } from "../http/open-reply.ts";
import { respondWithStream } from "../http/reply-stream.ts";
import type { ReplyEvents } from "../http/reply-stream.ts";
import { problemOfReply } from "./call-model.ts";

/**
 * How long a stream waits for the reply's first text, in milliseconds, so that a failure before it has a status of its own.
 * Then the stream begins without text, because proxies do not wait for ever.
 */
const FIRST_TEXT_WAIT_MS = 10_000;

/** How one kind of answer has a reply. */
interface ReplyForm {
  events: ReplyEvents;
  whole: (text: string, end: ReplyEnd) => object;
}

/** Answers with a reply: as it comes, or whole. One that fails before any text has the status of its problem. */
export async function respondWithReply(
  c: Context<AppEnv>,
  reply: OpenReply,
  { events, whole }: ReplyForm,
  isStreamed: boolean,
): Promise<Response> {
  const problemOf = (final: FinalEvent | null) => (final ? problemOfReply(final, c.var.caller) : null);
  if (!isStreamed) {
    const { text, final } = await wholeReply(reply);
    const problem = problemOf(final);
    return problem ? respondWithProblem(c, problem) : c.json(whole(text, final as ReplyEnd));
  }
  const awaited = reply.next();
  const first = await waitAtMost(FIRST_TEXT_WAIT_MS, awaited).catch(() => null);
  const problem = first?.text === "" ? problemOf(first.final) : null;
  if (problem) return respondWithProblem(c, problem);
  return respondWithStream(c, events, reply, first ?? awaited);
}
