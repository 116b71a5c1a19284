/**
 * Streams that go on by themselves when their connection is lost: all events of a session, and those of one turn. Nothing
 * is lost or repeated (`joined-events.ts`), and nothing is asked twice.
 *
 * Calls the network through `connection.ts`, and waits between attempts.
 */
import { connectionError } from "./connection.ts";
import type { Call, Connection } from "./connection.ts";
import { ParleyError } from "./errors.ts";
import { readEvents } from "./event-stream.ts";
import { JoinedEvents } from "./joined-events.ts";
import { Attempts, DEFAULT_RETRIES, mayPass } from "./retry.ts";
import type { StreamEvent } from "./types.ts";

export interface FollowOptions {
  /** The `seq` of the last message that you have; 0 for all messages. Left out: only what comes from now on. */
  after?: number;
  signal?: AbortSignal | undefined;
  /** How many attempts in a row may fail. Left out: any number. */
  retries?: number | undefined;
  /** Called when the stream is connected, and when it has lost its connection and tries again. */
  onState?: (state: "open" | "reconnecting") => void;
}

/** The reader was too slow, or the log could not be read: a new connection goes on. */
const REOPENED_CODES = [1011, 1013];

/**
 * @param path of the session, such as `/sessions/65f3a1b2c4d5e6f708192a3b`
 * @returns its events, until it ends
 * @throws {@link ParleyError} if the session cannot be followed, or the reason of the signal
 */
export const followSession = (
  connection: Connection,
  path: string,
  options: FollowOptions = {},
): AsyncGenerator<StreamEvent, void> => followFrom(connection, path, new JoinedEvents(options.after), options);

/**
 * Calls what answers with the events of a turn. While nothing of the turn has come, the call is made again, under one key;
 * then the turn is followed in its session.
 *
 * @param path of the session
 * @param after a message from before the turn, if one is known
 * @throws {@link ParleyError}, or the reason of the signal
 */
export async function* streamTurn(
  connection: Connection,
  path: string,
  call: Omit<Call, "method">,
  after?: number,
): AsyncGenerator<StreamEvent, void> {
  const { retries, signal } = call;
  const joined = new JoinedEvents(after);
  const key = connection.keyFor({ ...call, method: "POST" });
  const post: Call = {
    ...call,
    method: "POST",
    accept: "text/event-stream",
    idempotencyKey: key ?? undefined,
    retries: 0,
  };
  const attempts = new Attempts({ retries: key === null ? 0 : retries, signal });
  const canFollow = () => joined.turnId !== null && joined.after !== undefined;
  while (!canFollow()) {
    try {
      if (yield* throughTurn(joinedEvents(post, await connection.open(post), joined), null)) return;
    } catch (error) {
      if (!canFollow()) await attempts.next(error);
      else if (!mayPass(error)) throw error;
    }
  }
  const events = followFrom(connection, path, joined, { retries: retries ?? DEFAULT_RETRIES, signal });
  if (yield* throughTurn(events, joined.turnId)) return;
  throw new ParleyError("The server closed the stream before the turn ended", { status: 0, code: "stream_closed" });
}

/** Yields the events of a turn up to its end. @param turnId `null` for any @returns whether the end has come */
async function* throughTurn(
  events: AsyncIterable<StreamEvent>,
  turnId: string | null,
): AsyncGenerator<StreamEvent, boolean> {
  for await (const event of events) {
    if (turnId !== null && (!("turnId" in event) || event.turnId !== turnId)) continue;
    yield event;
    if (event.type === "turn-ended") return true;
  }
  return false;
}

async function* followFrom(
  connection: Connection,
  path: string,
  joined: JoinedEvents,
  { signal, retries = Infinity, onState }: FollowOptions,
): AsyncGenerator<StreamEvent, void> {
  const attempts = new Attempts({ retries, signal });
  for (;;) {
    const query = { after: joined.after };
    const call: Call = {
      method: "GET",
      path: `${path}/events`,
      query,
      accept: "text/event-stream",
      retries: 0,
      signal,
    };
    try {
      const answer = await connection.open(call);
      attempts.reset();
      onState?.("open");
      for await (const event of joinedEvents(call, answer, joined)) {
        yield event;
        if (event.type === "stream-closed") return;
      }
    } catch (error) {
      await attempts.next(error, () => onState?.("reconnecting"));
    }
  }
}

/** Yields what is new in an answer. @throws if it breaks off, or is closed in a way that a new connection mends */
async function* joinedEvents(call: Call, answer: Response, joined: JoinedEvents): AsyncGenerator<StreamEvent, void> {
  for await (const event of readEvents(call, answer.body ?? new ReadableStream(), () => joined.isWaiting)) {
    if (typeof event === "string") yield* joined.finishReplay(event === "comment");
    else if (event.type === "stream-closed" && REOPENED_CODES.includes(event.code)) break;
    else yield* joined.join(event);
  }
  throw connectionError(call, new Error("The stream broke off"));
}
