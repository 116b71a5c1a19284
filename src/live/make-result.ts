/**
 * Makes the result of a command: the session with the messages to present, as many as are passed on at once. Reading the
 * others does not belong here: that is `read-session.ts`. Effects: reads the log.
 */
import type { Message } from "../core/message.ts";
import { MAX_BATCH_CHARACTERS } from "../core/page.ts";
import { shownAs } from "../core/shown-window.ts";
import type { Log } from "./log/log.ts";
import { charactersOf } from "./log/message-rows.ts";
import type { InRoom } from "./passed-messages.ts";
import type { History, RecordOptions, SessionResult } from "./session-results.ts";

/**
 * @param added the messages that the command appended
 * @param replayed whether an earlier call appended them. If so, later messages are left out.
 */
export function makeResult(
  log: Log,
  added: Message[],
  history: History,
  { replayed = false, withReceipts = false }: RecordOptions & { replayed?: boolean } = {},
): InRoom<SessionResult> {
  const { session } = log.loadedState;
  if (history === "added") return { ...addedResult(log, added), replayed };
  const upTo = replayed ? (added.at(-1)?.seq ?? session.lastSeq) : session.lastSeq;
  const shown = shownAs(session.kind, withReceipts);
  const after = log.windowStart(upTo, shown);
  const batch = log.messages(after, upTo - after, shown === "records" ? "without-receipts" : "whole");
  const isWhole = batch.lastSeq === upTo;
  return { session, messages: [], ...(isWhole ? { batch } : {}), after, upTo, isTruncated: after > 0, replayed };
}

/** A chatbot adds one reply. A turn with many replies can have more than is passed on at once. */
function addedResult(log: Log, added: Message[]): SessionResult {
  const { session } = log.loadedState;
  const [first, last] = [added[0], added.at(-1)];
  const isShort = session.kind === "chatbot" || charactersOf(added) <= MAX_BATCH_CHARACTERS;
  if (isShort || !first || !last) return { session, messages: added, upTo: 0 };
  return { session, messages: [], after: first.seq - 1, upTo: last.seq };
}
