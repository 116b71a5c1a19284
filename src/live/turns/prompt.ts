/** A prompt as a turn gets it, and what a turn has from its session. Pure. */
import type { RecordedTurn } from "../../core/bridge.ts";
import type { Attack } from "../../core/message.ts";
import type { ModelMessage } from "../../core/reply.ts";
import type { Session } from "../../core/session.ts";
import type { RunningTurn } from "../../core/turn.ts";

/** A prompt for all chats of a session. */
export interface Prompt {
  content: string;
  /** Its `seq`, if it is in the log: to be answered again, or because its turn failed. `null` for a new prompt. */
  seq: number | null;
  /** What made it, if an attack module did: then neither strategy nor template is applied. */
  attack?: Attack;
  /** Whether the turn makes a variant: asks again, or changes an earlier prompt. */
  isVariant?: true;
  /** What stands before it in the same call: appended with it, when the turn starts. */
  preceding?: ModelMessage[];
  /** What the first message that the turn adds follows, if that is not the last message of the active path. */
  parentSeq?: number;
  /** Which endpoint replies, and with which params, if not the chatbot's own; and what its system prompt stands behind. */
  call?: { endpointId?: string; params?: string; instructions?: string };
  /** What the replies keep of the call, as JSON text. */
  requestFields?: string;
  /** The turn of the recorded conversation that it puts again. */
  recorded?: RecordedTurn;
  /** The turn that broke off and goes on with it: then only the chats without a reply are asked. */
  resumed?: { turn: RunningTurn; promptSeq: number };
  /** The turn starts only if this is the last message of the log. */
  expectedSeq?: number;
}

/** What a turn has from its session. Moonshot's attack modules send what they made as it is. */
export const settingsOfTurn = (session: Session, { attack }: Prompt) => ({
  promptTemplate: attack ? null : session.promptTemplate,
  contextStrategy: attack ? null : session.contextStrategy,
  previousPrompts: session.previousPrompts,
  systemPrompt: session.systemPrompt,
  ...(attack ? { attack } : {}),
});
