import type { Message } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import { turnStatus } from "../../core/turn.ts";
import type { RunningTurn } from "../../core/turn.ts";
import type { Database } from "../../store/database.ts";
import { readLog } from "../../store/messages.ts";
import type { Replay } from "./event-stream.ts";
import { messageAppended, replyEnd } from "./events.ts";
import type { SessionEvent } from "./events.ts";
import type { Log } from "../log/log.ts";

/** Messages of the past that are read at a time. */
const REPLAY_PAGE = 50;

/**
 * What someone is told who begins to follow a session.
 *
 * @param after the last message that they have; `null` for nothing of the past
 * @param runningReplyEvents what was missed of the replies under way
 */
export function replaySession(log: Log, after: number | null, runningReplyEvents: () => SessionEvent[]): Replay {
  const { session, turn } = log.loadedState;
  const messages = (seq: number, limit: number) => (log.state ? log.messages(seq, limit).items : []);
  return replay(messages, [snapshotOf(session, turn)], after, runningReplyEvents);
}

/** The same for a session that has ended, and lives in the index database. */
export async function replayEndedSession(db: Database, session: Session, after: number | null): Promise<Replay> {
  const log = after === null ? [] : await readLog(db, session.id, session.lastSeq);
  const messages = (seq: number, limit: number) => log.filter((message) => message.seq > seq).slice(0, limit);
  return replay(messages, [snapshotOf(session, null)], after, () => []);
}

/**
 * What someone is told who comes to a turn late: what it brought, each reply in one piece, and what is being said.
 *
 * @param isFinished whether it has ended
 */
export function replayTurn(
  log: Log,
  turnId: string,
  isFinished: boolean,
  runningReplyEvents: () => SessionEvent[],
): Replay {
  const turnMessages = log.messagesOfTurn(turnId);
  const chatIds = log.loadedState.session.chats.map(({ chatId }) => chatId);
  const events = turnMessages.flatMap((message) =>
    message.reply ? eventsOfFinishedReply(turnId, message) : [messageAppended(message)],
  );
  const statuses = turnMessages.flatMap(({ reply }) => reply?.status ?? []);
  const end: SessionEvent = { type: "turn-ended", turnId, status: turnStatus(statuses) };
  return replay(
    () => [],
    [{ type: "turn-started", turnId, chatIds }, ...events],
    null,
    isFinished ? () => [end] : runningReplyEvents,
  );
}

function eventsOfFinishedReply(turnId: string, message: Message): SessionEvent[] {
  const { content } = message;
  const chatId = message.chatId ?? "";
  return [
    { type: "reply-start", turnId, chatId },
    ...(content === "" ? [] : [{ type: "reply-delta" as const, turnId, chatId, offset: 0, text: content }]),
    messageAppended(message),
    replyEnd(turnId, message),
  ];
}

const snapshotOf = (session: Session, turn: RunningTurn | null): SessionEvent => ({
  type: "session-snapshot",
  session,
  lastSeq: session.lastSeq,
  turn: turn && { turnId: turn.turnId, chatIds: turn.chatIds },
});

/**
 * How the session stands, what was said after a message, and what is being said. The last step is taken in the tick in
 * which the listener goes live, so nothing is missed and nothing told twice.
 */
function* replay(
  messages: (after: number, limit: number) => Message[],
  initialEvents: SessionEvent[],
  after: number | null,
  runningReplyEvents: () => SessionEvent[],
): Replay {
  let events = initialEvents;
  let page = after === null ? [] : messages(after, REPLAY_PAGE);
  while (page.length > 0) {
    yield [...events, ...page.map(messageAppended)];
    events = [];
    page = messages(page.at(-1)?.seq ?? Infinity, REPLAY_PAGE);
  }
  return [...events, ...runningReplyEvents()];
}
