/**
 * What a new subscriber gets before live events: the session's state, the messages that it missed, and the replies that
 * run. A replay is a generator, so that a long log is read only as fast as the subscriber reads.
 *
 * Sending does not belong here: that is `event-stream.ts` and `sockets.ts`. Effects: reads the log, or D1 and
 * the archive for an ended session.
 */
import { RECORDED_CHAT } from "../../core/bridge.ts";
import type { Message } from "../../core/message.ts";
import { askedChats } from "../../core/session.ts";
import type { Session } from "../../core/session.ts";
import { turnStatus } from "../../core/turn.ts";
import type { RunningTurn } from "../../core/turn.ts";
import type { LogStore } from "../../store/archive/bucket.ts";
import { logPage, readTree } from "../../store/session-log.ts";
import type { Replay } from "./event-stream.ts";
import { contextTrimmed, messageAppended, replyEnd } from "./events.ts";
import type { SessionEvent } from "./events.ts";
import { ReplayedPaths } from "./replayed-paths.ts";
import type { Log } from "../log/log.ts";

/** Messages per step of a replay. */
const REPLAY_PAGE = 50;

/** The most text of a step in the object, in characters, unless one message has more: its events are in memory until they are sent. */
const REPLAY_CHARACTERS = 131_072;

/**
 * The replay of a loaded session.
 *
 * @param after the last message that the subscriber has; `null` to leave out earlier messages
 * @param runningReplyEvents the events so far of the replies that run
 */
export function replaySession(log: Log, after: number | null, runningReplyEvents: () => SessionEvent[]): Replay {
  const { session, turn } = log.loadedState;
  const paths = new ReplayedPaths(session, () => log.places.tree, after);
  const messages = (seq: number, limit: number) => (log.state ? stepOf(log.messages(seq, limit, "short").items) : []);
  const lastEvents = () => [...(log.state ? paths.lastEvents(log.state.session) : []), ...runningReplyEvents()];
  return replay(messages, [snapshotOf(session, turn)], after, paths, lastEvents);
}

/** The replay of an ended session, which no object has. The first page is read at once: if that fails, nothing is sent. */
export async function replayEndedSession(store: LogStore, session: Session, after: number | null): Promise<Replay> {
  const read = async (seq: number) =>
    (await logPage(store, session, { after: seq, limit: REPLAY_PAGE, form: "short" })).items;
  const tree = await readTree(store, session);
  const paths = new ReplayedPaths(session, () => tree, after);
  return replayPages(read, after === null ? [] : await read(after), session, paths);
}

/** The initial events, then messages page by page. The subscriber waits for each page, and then asks for the next. */
function* replayPages(
  read: (after: number) => Promise<Message[]>,
  firstPage: Message[],
  session: Session,
  paths: ReplayedPaths,
): Replay {
  yield [snapshotOf(session, null), ...paths.eventsOf(firstPage)];
  for (let last = firstPage.at(-1)?.seq ?? null; last !== null;) {
    const page = read(last).then((messages) => {
      last = messages.at(-1)?.seq ?? null;
      return paths.eventsOf(messages);
    });
    yield page;
  }
  return paths.lastEvents(session);
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
  const { session } = log.loadedState;
  if (isFinished && turnMessages.every(({ reply }) => reply === null))
    return replayTurnOfHuman(turnId, turnMessages, session.kind);
  const chatIds = askedChats(session).map(({ chatId }) => chatId);
  const paths = new ReplayedPaths(session, () => log.places.tree, (turnMessages[0]?.seq ?? 1) - 1);
  const events = turnMessages.flatMap((message) => {
    const appended = paths.eventsOf([message]);
    // Nobody is asked for a recorded answer.
    return message.reply && message.chatId !== RECORDED_CHAT
      ? eventsOfFinishedReply(turnId, message, session.kind, appended)
      : appended;
  });
  const statuses = turnMessages.flatMap(({ reply }) => reply?.status ?? []);
  const end: SessionEvent = { type: "turn-ended", turnId, status: turnStatus(statuses) };
  return replay(
    () => [],
    [{ type: "turn-started", turnId, chatIds }, ...events],
    null,
    paths,
    isFinished ? () => [end] : runningReplyEvents,
  );
}

/** The replay of a turn that was left to a person. */
export const replayTurnOfHuman = (turnId: string, messages: Message[], kind: Session["kind"]): Replay =>
  replayOnce([
    ...messages.map((message) => messageAppended(message, kind)),
    { type: "turn-ended", turnId, status: "human" },
  ]);

function* replayOnce(events: SessionEvent[]): Replay {
  yield events;
  return [];
}

/** @param appended the events of its message */
function eventsOfFinishedReply(
  turnId: string,
  message: Message,
  kind: Session["kind"],
  appended: SessionEvent[],
): SessionEvent[] {
  const { content } = message;
  const chatId = message.chatId ?? "";
  const trimmed = message.reply?.context ? contextTrimmed({ turnId, chatId, kind }, message.reply.context) : null;
  return [
    ...(trimmed ? [trimmed] : []),
    { type: "reply-start", turnId, chatId },
    ...(content === "" ? [] : [{ type: "reply-delta" as const, turnId, chatId, offset: 0, text: content }]),
    ...appended,
    replyEnd(turnId, message),
  ];
}

const snapshotOf = (session: Session, turn: RunningTurn | null): SessionEvent => ({
  type: "session-snapshot",
  session,
  lastSeq: session.lastSeq,
  turn: turn && { turnId: turn.turnId, chatIds: turn.chatIds },
});

/** The first messages of a page, as many as one step takes. */
function stepOf(page: Message[]): Message[] {
  let characters = 0;
  for (const [index, { content }] of page.entries()) {
    characters += content.length;
    if (index > 0 && characters > REPLAY_CHARACTERS) return page.slice(0, index);
  }
  return page;
}

/**
 * The initial events, then messages page by page, then the replies that run. The subscriber becomes live in the tick of
 * the last step, so it misses no event and gets none twice.
 */
function* replay(
  messages: (after: number, limit: number) => Message[],
  initialEvents: SessionEvent[],
  after: number | null,
  paths: ReplayedPaths,
  lastEvents: () => SessionEvent[],
): Replay {
  let events = initialEvents;
  let page = after === null ? [] : messages(after, REPLAY_PAGE);
  while (page.length > 0) {
    yield [...events, ...paths.eventsOf(page)];
    events = [];
    page = messages(page.at(-1)?.seq ?? Infinity, REPLAY_PAGE);
  }
  return [...events, ...lastEvents()];
}
