/** Appends messages, with their events. Where they belong in the tree is in `log/message-places.ts`. Effects: the log, events and replication. */
import type { Message, NewMessage } from "../../core/message.ts";
import { hasText } from "../../core/message.ts";
import { parentOf, seqsOfPath } from "../../core/message-tree.ts";
import { eventsOf } from "../streaming/events.ts";
import type { SessionEvent } from "../streaming/events.ts";
import type { SessionWorld } from "../session-world.ts";

/** Appends messages to the log, emits their events and starts their replication. One transaction. */
export function appendMessages(world: SessionWorld, messages: NewMessage[]): Message[] {
  const { log, clock, emit, replication } = world;
  const { kind } = log.loadedState.session;
  const leaf = kind === "chatbot" ? log.places.leaf : 0;
  const added = log.append(messages, clock());
  const events =
    kind === "chatbot" ? eventsInTree(world, added, leaf) : added.flatMap((one) => eventsOf(one, kind, null));
  for (const event of events) emit(event);
  const turnId = log.state?.turn?.turnId ?? null;
  // The messages of a turn are replicated together, at the end of the turn: each batch is a commit of D1.
  if (turnId !== null && messages.every((message) => message.turnId === turnId)) replication.startByAlarm();
  else replication.start();
  return added;
}

/** @param leaf the last message of the active path before */
function eventsInTree({ log }: SessionWorld, added: Message[], leaf: number): SessionEvent[] {
  const { activePath, lastSeq } = log.loadedState.session;
  let last = leaf;
  return added.flatMap((message) => {
    if (!hasText(message)) return eventsOf(message, "chatbot", null);
    const isLonger = parentOf(message) === last;
    last = message.seq;
    return eventsOf(message, "chatbot", isLonger ? null : seqsOfPath(activePath ?? [], lastSeq));
  });
}
