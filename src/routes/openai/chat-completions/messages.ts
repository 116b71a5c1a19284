/** Reads the messages of OpenAI's clients: texts only. No effects. */
import type * as z from "zod";
import { MAX_CONTENT_LENGTH } from "../../../core/message.ts";
import type { ModelMessage } from "../../../core/reply.ts";
import type { HttpProblem } from "../../http/problem.ts";
import { unsupported } from "../errors.ts";
import type { ChatMessage } from "./schemas.ts";

type GivenMessage = z.output<typeof ChatMessage>;

/** Between the text parts of one message. */
const PART_SEPARATOR = "\n";

/** @returns the problem of the first message that is no text */
export function readMessages(messages: readonly GivenMessage[]): ModelMessage[] | HttpProblem {
  const read: ModelMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const one = readMessage(message, ["messages", index]);
    if ("reason" in one) return one;
    read.push(one);
  }
  return read;
}

function readMessage(message: GivenMessage, path: (string | number)[]): ModelMessage | HttpProblem {
  const role = roleOf(message.role);
  if (role === null)
    return unsupported("unsupported_content", [...path, "role"], `messages of role ${message.role} are not supported`);
  const call = ["tool_calls", "function_call", "audio"].find((name) => !isEmpty(message[name]));
  if (call !== undefined) return unsupported("unsupported_content", [...path, call], "only text is supported");
  const content = readContent(message.content, [...path, "content"]);
  if (typeof content !== "string") return content;
  return content.length > MAX_CONTENT_LENGTH && role === "user"
    ? unsupported("unsupported_content", [...path, "content"], `has more than ${MAX_CONTENT_LENGTH} characters`)
    : { role, content };
}

function roleOf(role: GivenMessage["role"]): ModelMessage["role"] | null {
  if (role === "developer") return "system";
  return role === "tool" || role === "function" ? null : role;
}

const isEmpty = (value: unknown): boolean => value == null || (Array.isArray(value) && value.length === 0);

/** The text of a message: that of its parts, one after the other. */
function readContent(content: GivenMessage["content"], path: (string | number)[]): string | HttpProblem {
  if (content == null) return "";
  if (typeof content === "string") return content;
  const other = content.findIndex(({ type, text }) => type !== "text" || text === undefined);
  return other === -1
    ? content.map(({ text }) => text).join(PART_SEPARATOR)
    : unsupported("unsupported_content", [...path, other], "only parts of type text are supported");
}
