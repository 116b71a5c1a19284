/**
 * What a new subscriber gets before live events: the session's state, the messages that it missed, and the replies that
 * run. A replay is a generator, so that a long log is read only as fast as the subscriber reads.
 *
 * Sending does not belong here: that is `event-stream.ts` and `sockets.ts`. Effects: reads the log, or D1 and
 * the archive for an ended session.
 */
import type { Message } from "../../core/message.ts";
import type { Session } from "../../core/session.ts";
import { turnStatus } from "../../core/turn.ts";
import type { RunningTurn } from "../../core/turn.ts";
import type { LogStore } from "../../store/archive/bucket.ts";
import { logPage } from "../../store/session-log.ts";
import type { Replay } from "./event-stream.ts";
import { contextTrimmed, messageAppended, replyEnd } from "./events.ts";
import type { SessionEvent } from "./events.ts";
import type { Log } from "../log/log.ts";

/** Messages per step of a replay. */
const REPLAY_PAGE = 50;

/**
 * The replay of a loaded session.
 *
 * @param after the last message that the subscriber has; `null` to leave out earlier messages
 * @param runningReplyEvents the events so far of the replies that run
 */
export function replaySession(log: Log, after: number | null, runningReplyEvents: () => SessionEvent[]): Replay {
  const { session, turn } = log.loadedState;
  const messages = (seq: number, limit: number) => (log.state ? log.messages(seq, limit, "short").items : []);
  return replay(messages, [snapshotOf(session, turn)], after, runningReplyEvents);
}

/** The replay of an ended session, which no object has. The first page is read at once: if that fails, nothing is sent. */
export async function replayEndedSession(store: LogStore, session: Session, after: number | null): Promise<Replay> {
  const read = async (seq: number) =>
    (await logPage(store, session, { after: seq, limit: REPLAY_PAGE, form: "short" })).items;
  return replayPages(read, after === null ? [] : await read(after), [snapshotOf(session, null)]);
}

/** The initial events, then messages page by page. The subscriber waits for each page, and then asks for the next. */
function* replayPages(
  read: (after: number) => Promise<Message[]>,
  firstPage: Message[],
  initialEvents: SessionEvent[],
): Replay {
  yield [...initialEvents, ...firstPage.map(messageAppended)];
  for (let last = firstPage.at(-1)?.seq ?? null; last !== null;) {
    const page = read(last).then((messages) => {
      last = messages.at(-1)?.seq ?? null;
      return messages.map(messageAppended);
    });
    yield page;
  }
  return [];
}

/**
 * The replay of a turn, for a late subscriber: its messages, each finished reply as one delta, and the replies that
 * run.
 *
 * @param isFinished whether the turn has ended
 */
export function replayTurn(
  log: Log,
  turnId: string,
  isFinished: boolean,
  runningReplyEvents: () => SessionEvent[],
): Replay {
  const turnMessages = log.messagesOfTurn(turnId);
  if (isFinished && turnMessages.every(({ reply }) => reply === null)) return replayTurnOfHuman(turnId, turnMessages);
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

/** The replay of a turn that was left to a person. */
export const replayTurnOfHuman = (turnId: string, messages: Message[]): Replay =>
  replay(
    () => [],
    messages.map(messageAppended),
    null,
    () => [{ type: "turn-ended", turnId, status: "human" }],
  );

function eventsOfFinishedReply(turnId: string, message: Message): SessionEvent[] {
  const { content } = message;
  const chatId = message.chatId ?? "";
  const trimmed = message.reply?.context ? contextTrimmed(turnId, message.reply.context) : null;
  return [
    ...(trimmed ? [trimmed] : []),
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
 * The initial events, then messages page by page, then the replies that run. The subscriber becomes live in the tick of
 * the last step, so it misses no event and gets none twice.
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
