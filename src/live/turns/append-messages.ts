import type { Message, NewMessage } from "../../core/message.ts";
import { eventsOf } from "../streaming/events.ts";
import type { SessionWorld } from "../session-world.ts";

/** Appends messages to the log, emits their events and starts their replication. One transaction. */
export function appendMessages({ log, clock, emit, replication }: SessionWorld, messages: NewMessage[]): Message[] {
  const added = log.append(messages, clock());
  for (const event of added.flatMap(eventsOf)) emit(event);
  const turnId = log.state?.turn?.turnId ?? null;
  // The messages of a turn are replicated together, at the end of the turn: each batch is a commit of D1.
  if (turnId !== null && messages.every((message) => message.turnId === turnId)) replication.startByAlarm();
  else replication.start();
  return added;
}
