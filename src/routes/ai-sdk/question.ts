/**
 * What a call of the AI SDK's transport asks of a session. The client has all messages, and sends them with every call; here
 * only the last one counts, because the session has the others. No effects.
 */
import type { Context } from "hono";
import { routePath } from "hono/route";
import type * as z from "zod";
import { MAX_CONTENT_LENGTH } from "../../core/message.ts";
import type { MessageQuestion } from "../../live/session-client.ts";
import type { AppEnv } from "../http/context.ts";
import type { HttpProblem } from "../http/problem.ts";
import { placeIn, turnIn } from "./message-ids.ts";
import type { SendMessage } from "./schemas.ts";

type Input = z.output<typeof SendMessage>;

/** Between the text parts of one message. */
const PART_SEPARATOR = "\n";

export function readQuestion(c: Context<AppEnv>, input: Input): MessageQuestion | HttpProblem {
  return input.trigger === "submit-message" ? readSubmit(c, input) : readRegenerate(c, input);
}

/** A `messageId`, and an id that this API has made, name an earlier message: then its text has changed. */
function readSubmit(c: Context<AppEnv>, { messages, messageId }: Input): MessageQuestion | HttpProblem {
  const last = messages.at(-1);
  if (last?.role !== "user") return invalidAt(["messages"], "must end with a message of the user");
  if (messageId !== undefined && messageId !== last.id)
    return invalidAt(["messageId"], "must be the id of the last message");
  const text = textOf(last, messages.length - 1);
  if (typeof text !== "string") return text;
  const message = messageNamed(c, last.id);
  return { about: messageId === undefined && message.seq === undefined ? "prompt" : "edit", message, text };
}

/** The client leaves out the reply of which it wants another one, and what followed it. */
function readRegenerate(c: Context<AppEnv>, { messages, messageId }: Input): MessageQuestion | HttpProblem {
  const last = messages.at(-1);
  if (messageId !== undefined && messageId !== last?.id)
    return { about: "reply", message: { ...messageNamed(c, messageId), ...turnIn(messageId) }, text: "" };
  if (last?.role !== "user") return { about: "reply", message: null, text: "" };
  const text = textOf(last, messages.length - 1);
  return typeof text === "string" ? { about: "reply", message: messageNamed(c, last.id), text } : text;
}

const messageNamed = (c: Context<AppEnv>, id: string): NonNullable<MessageQuestion["message"]> => ({
  name: { caller: c.var.caller.id, key: `${routePath(c)} ${id}` },
  ...placeIn(id),
});

function textOf({ parts }: Input["messages"][number], index: number): string | HttpProblem {
  const other = parts.findIndex(({ type, text }) => type !== "text" || text === undefined);
  if (other !== -1) return invalidAt(["messages", index, "parts", other], "only parts of type text are supported");
  const content = parts.map(({ text }) => text).join(PART_SEPARATOR);
  if (content.trim() === "") return invalidAt(["messages", index, "parts"], "must not be blank");
  if (content.length > MAX_CONTENT_LENGTH)
    return invalidAt(["messages", index, "parts"], `have more than ${MAX_CONTENT_LENGTH} characters`);
  return content;
}

const invalidAt = (path: (string | number)[], message: string): HttpProblem => ({
  reason: "invalid-input",
  in: "body",
  issues: [{ code: "custom", path, message }],
});
