/**
 * Makes the Session API's JSON of sessions and messages. The `chatbotId` and `clientId` of a populated session hold the
 * records themselves, as the API's document asks. No effects.
 */
import type * as z from "zod";
import type { Chatbot } from "../../../core/chatbot.ts";
import type { Client } from "../../../core/client.ts";
import { authorFor, canSee } from "../../../core/caller.ts";
import type { Caller, CallerRole } from "../../../core/caller.ts";
import type { Handling } from "../../../core/handover.ts";
import type { Message, ReplyDetail, SentContext } from "../../../core/message.ts";
import { hasText } from "../../../core/message.ts";
import type { MessageFeedback } from "../../../core/message-feedback.ts";
import { isOnPath, shownParentOf } from "../../../core/message-tree.ts";
import type { ActivePath, MessageTree } from "../../../core/message-tree.ts";
import type { ReplyStatistics, SummaryStatistics } from "../../../core/reply-statistics.ts";
import { endpointOf } from "../../../core/session.ts";
import type { Session } from "../../../core/session.ts";
import { isoTime } from "../../../core/time.ts";
import type { ListedChatbot, ListedClient, PopulatedSession } from "../../../store/fit-list.ts";
import { presentChatbot } from "../chatbots/present.ts";
import { presentClient } from "../clients/present.ts";
import { omitNulls } from "../envelope.ts";
import { presentFeedback } from "../feedback/present.ts";
import type * as schemas from "./response-schemas.ts";

export function presentMessage(
  { role, content, createdAt, author, reply }: Message,
  viewerRole: CallerRole | null,
): z.output<typeof schemas.Message> {
  const shown = { role, content, timestamp: isoTime(createdAt) };
  if (author) return { ...shown, author: authorFor(viewerRole, author) };
  return reply && reply.finishReason !== "stop" ? { ...shown, finishReason: reply.finishReason } : shown;
}

/** A message with what is known of a reply, and with the feedback on it, if there is any. A client does not see how its chatbot is configured. */
export const presentLoggedMessage = (
  message: Message,
  viewerRole: CallerRole | null,
  feedback?: MessageFeedback,
): z.output<typeof schemas.LoggedMessage> => ({
  seq: message.seq,
  ...presentMessage(message, viewerRole),
  ...(message.reply ? presentReplyDetail(message.reply, viewerRole) : {}),
  ...(feedback ? { feedback: presentFeedback(feedback) } : {}),
});

/** A message among all of its session. */
export function presentInTree(
  message: Message,
  tree: MessageTree,
  activePath: ActivePath,
  viewerRole: CallerRole | null,
  feedback?: MessageFeedback,
): z.output<typeof schemas.TreeMessage> {
  const variant = tree.variantOf(message.seq);
  return {
    ...presentLoggedMessage(message, viewerRole, feedback),
    parentSeq: shownParentOf(message),
    active: hasText(message) && isOnPath(activePath, message.seq),
    ...(variant ? { variant } : {}),
  };
}

const presentReplyDetail = (
  { status, finishReason, model, usage, durationMs, ttftMs, context }: ReplyDetail,
  viewerRole: CallerRole | null,
) => ({
  status,
  finishReason,
  ...omitNulls({ model: viewerRole === "client" ? null : model, usage }),
  ...omitNulls({ durationMs, ttftMs }),
  ...(context?.isTrimmed ? { context: presentContext(context, viewerRole) } : {}),
});

/** As in the event `context-trimmed`, and for those who know the chatbot also the summary that was made. */
const presentContext = (
  { dropped, kept, estimatedTokens, summary }: SentContext,
  viewerRole: CallerRole | null,
): z.output<typeof schemas.TrimmedContext> => ({
  dropped,
  kept,
  estimatedTokens,
  ...omitNulls({
    summary: viewerRole === "client" ? null : summary?.text || null,
    summaryError: summary?.error?.code ?? null,
  }),
});

export const presentStatistics = (
  sessionId: string,
  { cost, priced, attempts, summaries, durationMs, ttftMs, ...counts }: ReplyStatistics,
  viewerRole: CallerRole | null,
): z.output<typeof schemas.Statistics> => ({
  sessionId,
  ...counts,
  ...omitNulls({ durationMs, ttftMs }),
  ...(viewerRole === "client"
    ? {}
    : {
        attempts,
        ...omitNulls({ cost }),
        priced,
        ...omitNulls({ summaries: summaries && presentSummaries(summaries) }),
      }),
});

const presentSummaries = ({ cost, ...counts }: SummaryStatistics) => ({ ...counts, ...omitNulls({ cost }) });

/** The messages of a path as {@link presentMessage} shows them to a caller, while they are read. */
export async function* presentEach(
  messages: AsyncIterable<Message>,
  viewer: Pick<Caller, "role">,
  path: ActivePath,
): AsyncGenerator<z.output<typeof schemas.Message>> {
  for await (const message of messages)
    if (hasText(message) && isOnPath(path, message.seq) && canSee(viewer, message.role))
      yield presentMessage(message, viewer.role);
}

/**
 * Who answers in a session; an object of the last release does not say. Only those who answer see why and what was noted.
 *
 * @param viewerRole `null` for events, which all roles get
 */
export const presentHandling = (
  { handler = "bot", handlerSince = null, handover = null }: Partial<Handling>,
  viewerRole: CallerRole | null,
): z.output<typeof schemas.Handling> => ({
  handler,
  ...(handover === null || viewerRole === null || viewerRole === "client"
    ? {}
    : {
        handover: {
          ...omitNulls({ since: handlerSince === null ? null : isoTime(handlerSince) }),
          ...omitNulls({ reason: handover.reason, operator: handover.operator, note: handover.note }),
        },
      }),
});

const presentCommon = (session: Session, messages: Message[], viewerRole: CallerRole | null) => ({
  ...omitNulls({ endpointId: endpointOf(session) }),
  ...omitNulls({ title: session.title }),
  startTime: isoTime(session.startTime),
  ...omitNulls({ endTime: session.endTime === null ? null : isoTime(session.endTime) }),
  status: session.status,
  ...presentHandling(session, viewerRole),
  messages: messages
    .filter(
      (message) =>
        hasText(message) && isOnPath(session.activePath, message.seq) && canSee({ role: viewerRole }, message.role),
    )
    .map((message) => presentMessage(message, viewerRole)),
  ...omitNulls({
    metadata: session.metadata === null ? null : (JSON.parse(session.metadata) as Record<string, unknown>),
    feedback: session.feedback,
  }),
  createdAt: isoTime(session.createdAt),
  updatedAt: isoTime(session.updatedAt),
});

export const presentSession = (
  session: Session,
  messages: Message[],
  viewerRole: CallerRole | null,
): z.output<typeof schemas.Session> => ({
  id: session.id,
  chatbotId: session.chatbotId,
  clientId: session.clientId,
  ...presentCommon(session, messages, viewerRole),
});

export const presentPopulated = (
  { session, chatbot, client, messages }: PopulatedSession,
  viewerRole: CallerRole | null,
): z.output<typeof schemas.PopulatedSession> => ({
  id: session.id,
  chatbotId:
    chatbot?.deletedAt === null ? presentChatbotFor(viewerRole, chatbot) : presentDeleted(chatbot, session.chatbotId),
  clientId:
    client?.deletedAt === null ? presentClientFor(viewerRole, client) : presentDeleted(client, session.clientId),
  ...presentCommon(session, messages, viewerRole),
});

/** A client does not see how its chatbot is configured. */
const presentChatbotFor = (role: CallerRole | null, chatbot: ListedChatbot) =>
  role === "client"
    ? { id: chatbot.id, name: chatbot.name, ...omitNulls({ description: chatbot.description }) }
    : presentChatbot(chatbot);

/** A client does not see what others have noted about it. */
const presentClientFor = (role: CallerRole | null, client: ListedClient) =>
  presentClient(role === "client" ? { ...client, metadata: null, isShortened: false } : client);

const presentDeleted = (deleted: Chatbot | Client | null, id: string | null) =>
  id === null ? null : { id, name: deleted?.name ?? "", deleted: true as const };

export const presentListed = (
  populated: PopulatedSession,
  viewerRole: CallerRole | null,
): z.output<typeof schemas.ListedSession> => ({
  ...presentPopulated(populated, viewerRole),
  messageCount: populated.session.messageCount,
});
