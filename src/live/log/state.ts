/** The state of a session in its object, beside the log. It is one row of JSON. Types only. Pure. */
import type { ContextFacts } from "../../core/context.ts";
import type { ChangeableField, Session } from "../../core/session.ts";
import type { RunningTurn } from "../../core/turn.ts";

/** The last changes that D1 has. Later changes are not replicated yet. */
export interface ReplicationCursor {
  lastSeq: number;
  metadataVersion: number;
}

export interface State {
  session: Session;
  /** The size of the log: the text and the detail of all messages. */
  bytes: number;
  replicated: ReplicationCursor;
  /** The running turn, so that a restarted object knows which turn was interrupted. */
  turn: RunningTurn | null;
  /** The `seq` of each message that D1 rejects. They stay in this log. */
  deadLetters: number[];
  /** Fields that have changed and that D1 may not have. Absent in storage of earlier code: then any may have changed. */
  changedFields?: readonly ChangeableField[];
  /** Absent as long as no reply says something about it. */
  contextFacts?: ContextFacts;
  /** The replay of a recorded conversation that goes on until this turn of it was put. Absent for none. */
  replay?: { to: number } | undefined;
  /** Whether a removal has started. If so, the session no longer exists for callers. */
  removed: boolean;
}
