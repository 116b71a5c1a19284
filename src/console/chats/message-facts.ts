/** What the events of a conversation do not say of its messages: ratings, and what an earlier reply did not get. */
import type { FeedbackFields, LoggedMessage } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { useLoaded } from "../shared/use-loaded.ts";
import type { ReplyContext } from "./conversation.ts";

export interface MessageFacts {
  feedback: FeedbackFields | null;
  context: ReplyContext | null;
}

const PAGE = 1000;

/** @returns facts by `seq`, as soon as they are loaded */
export function useMessageFacts(id: string): { facts: ReadonlyMap<number, MessageFacts> | null; reload: () => void } {
  const { api } = useConsole();
  const { value, reload } = useLoaded(async () => {
    const facts = new Map<number, MessageFacts>();
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await api.sessions.messages(id, { after, limit: PAGE });
      for (const { seq, feedback, context } of page.messages)
        facts.set(seq, { feedback: feedback ? fieldsOf(feedback) : null, context: context ?? null });
      after = page.nextAfter;
    }
    return facts;
  }, [id]);
  return { facts: value, reload };
}

/** What is sent again when a part of it changes. */
const fieldsOf = ({ rating, tags, comment }: NonNullable<LoggedMessage["feedback"]>): FeedbackFields => ({
  rating,
  ...(tags === undefined ? {} : { tags }),
  ...(comment === undefined ? {} : { comment }),
});
