/** Makes Moonshot 0.7's JSON of a session and of a chat record. No effects. */
import type * as z from "zod";
import type { Session } from "../../../core/session.ts";
import { zonedStamp, zonedTime } from "../../../core/time.ts";
import type { EpochMs } from "../../../core/time.ts";
import { PREVIOUS_PROMPTS } from "../../../turn/context-strategies.ts";
import { predictedResult } from "../../moonshot-shared/sessions/record-sources.ts";
import type { RecordSource } from "../../moonshot-shared/sessions/record-sources.ts";
import type * as schemas from "./response-schemas.ts";

/** @param zone the IANA zone of `created_datetime` */
export const presentSession = (session: Session, zone: string): z.output<typeof schemas.Session> => ({
  session_id: session.id,
  description: session.description ?? "",
  endpoints: session.chats.flatMap(({ endpointId }) => endpointId ?? []),
  created_epoch: secondsAsText(session.createdAt),
  created_datetime: zonedStamp(session.createdAt, zone),
  prompt_template: session.promptTemplate ?? "",
  context_strategy: session.contextStrategy ?? "",
  cs_num_of_prev_prompts: session.previousPrompts ?? defaultPreviousPrompts(session),
  attack_module: session.attackModule ?? "",
  metric: "",
  system_prompt: session.systemPrompt ?? "",
});

/** A number of Python as text, which always has a point. */
const secondsAsText = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}.0` : String(ms / 1000));

/** `chat_history` adds all of them. */
const defaultPreviousPrompts = ({ contextStrategy }: Session): number | null =>
  contextStrategy === "chat_history" ? null : PREVIOUS_PROMPTS;

export const presentSessionResponse = <Records extends object | null>(
  session: Session,
  zone: string,
  records: Records,
) => ({
  session_name: session.title ?? "",
  session_description: session.description ?? "",
  session: presentSession(session, zone),
  chat_records: records,
});

/** @param zone the IANA zone of `prompt_time` */
export const presentRecord = (
  { reply, content, prompt, number }: RecordSource,
  zone: string,
): z.output<typeof schemas.ChatRecord> => ({
  chat_record_id: number,
  conn_id: reply.endpointId ?? "",
  context_strategy: reply.contextStrategy ?? "",
  prompt_template: reply.promptTemplate ?? "",
  attack_module: reply.attack?.module ?? "",
  metric: "",
  // Moonshot has the prompt that an attack module was given here, and what the module made of it below.
  prompt: reply.attack?.prompt ?? prompt.content,
  prepared_prompt: reply.preparedPrompt,
  system_prompt: reply.systemPrompt ?? "",
  predicted_result: predictedResult(reply, content),
  duration: reply.durationMs === null ? "" : String(reply.durationMs / 1000),
  prompt_time: withMicroseconds(prompt.createdAt, zone),
});

/** `2024-03-15 04:42:02.123000`. */
const withMicroseconds = (at: EpochMs, zone: string): string =>
  `${zonedTime(at, zone)}.${String(at % 1000).padStart(3, "0")}000`;
