/** Shows another path of a chatbot session. The rules of the tree are in `core/message-tree.ts`. Effects: the log, events and replication. */
import type { Outcome } from "../core/failure.ts";
import { failed, notFound, success } from "../core/failure.ts";
import { seqsOfPath } from "../core/message-tree.ts";
import type { Session } from "../core/session.ts";
import type { SessionWorld } from "./session-world.ts";
import { pathChanged } from "./streaming/events.ts";

/**
 * Makes the path through a message the active one, down to the last message that follows it. One transaction.
 *
 * @param active the session, if it takes messages. A full log takes no more, but what it shows can change
 * @returns the messages of the active path by their `seq`; `turn-running` while a turn runs, `nothing-to-show` for a
 * message without text
 */
export function activatePath(
  { log, clock, emit, replication }: SessionWorld,
  active: Outcome<Session>,
  isTurnRunning: boolean,
  seq: number,
): Outcome<number[]> {
  if (!active.ok && active.failure.reason !== "session-full") return active;
  if (isTurnRunning) return failed({ reason: "turn-running" });
  const { lastSeq } = log.loadedState.session;
  if (seq > lastSeq) return notFound("message", String(seq));
  const { tree, leaf } = log.places;
  if (!tree.hasText(seq)) return failed({ reason: "nothing-to-show" });
  const path = tree.pathThrough(seq);
  const seqs = seqsOfPath(path, lastSeq);
  if (seqs.at(-1) === leaf) return success(seqs);
  log.setActivePath(path, clock());
  emit(pathChanged(seqs));
  replication.start();
  return success(seqs);
}
