/** Reads the messages of OpenAI's clients: texts only. No effects. */
import { MAX_CONTENT_LENGTH } from "../../core/message.ts";
import type { ModelMessage } from "../../core/reply.ts";
import type { HttpProblem } from "../http/problem.ts";
import { unsupported } from "./errors.ts";

/** The roles of messages in OpenAI's API. `developer` is its newer name for `system`. */
export const MESSAGE_ROLES = ["system", "developer", "user", "assistant", "tool", "function"] as const;

interface ContentPart {
  type: string;
  text?: string | undefined;
}

/** A message as the schema of a body has it. Its further fields are ignored, unless they are content too. */
export interface GivenMessage extends Record<string, unknown> {
  role: (typeof MESSAGE_ROLES)[number];
  content?: string | readonly ContentPart[] | null | undefined;
}

/** Between the text parts of one message. */
const PART_SEPARATOR = "\n";

type Path = (string | number)[];

/**
 * @param field the name of the list in the body
 * @param partTypes the types of parts that are texts
 * @returns the problem of the first message that is no text
 */
export function readMessages(
  messages: readonly GivenMessage[],
  field: string,
  partTypes: readonly string[],
): ModelMessage[] | HttpProblem {
  const read: ModelMessage[] = [];
  for (const [index, message] of messages.entries()) {
    const one = readMessage(message, [field, index], partTypes);
    if ("reason" in one) return one;
    read.push(one);
  }
  return read;
}

function readMessage(message: GivenMessage, path: Path, partTypes: readonly string[]): ModelMessage | HttpProblem {
  const role = roleOf(message.role);
  if (role === null)
    return unsupported("unsupported_content", [...path, "role"], `messages of role ${message.role} are not supported`);
  const call = ["tool_calls", "function_call", "audio"].find((name) => !isEmpty(message[name]));
  if (call !== undefined) return unsupported("unsupported_content", [...path, call], "only text is supported");
  const content = readContent(message.content, [...path, "content"], partTypes);
  if (typeof content !== "string") return content;
  return role === "user" ? readPrompt(content, [...path, "content"]) : { role, content };
}

/** A message of the user. @returns the problem of a text that is blank or too long */
export function readPrompt(content: string, path: Path): ModelMessage | HttpProblem {
  if (content.trim() === "") return unsupported("unsupported_content", path, "must not be blank");
  return content.length > MAX_CONTENT_LENGTH
    ? unsupported("unsupported_content", path, `has more than ${MAX_CONTENT_LENGTH} characters`)
    : { role: "user", content };
}

function roleOf(role: GivenMessage["role"]): ModelMessage["role"] | null {
  if (role === "developer") return "system";
  return role === "tool" || role === "function" ? null : role;
}

const isEmpty = (value: unknown): boolean => value == null || (Array.isArray(value) && value.length === 0);

/** The text of a message: that of its parts, one after the other. */
function readContent(content: GivenMessage["content"], path: Path, partTypes: readonly string[]): string | HttpProblem {
  if (content == null) return "";
  if (typeof content === "string") return content;
  const other = content.findIndex(({ type, text }) => !partTypes.includes(type) || text === undefined);
  return other === -1
    ? content.map(({ text }) => text).join(PART_SEPARATOR)
    : unsupported("unsupported_content", [...path, other], `only parts of type ${partTypes.join(", ")} are supported`);
}
