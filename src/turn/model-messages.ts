/**
 * What a model is shown of a conversation. Providers refuse messages without text, several system texts, two messages of
 * one role in a row, or a conversation that the assistant begins: one such refusal would repeat for every later prompt of
 * the session. The log stays as it was said. Pure.
 */
import type { PromptWrapper } from "../core/call-params.ts";
import type { ModelMessage } from "../core/reply.ts";

/** What stands between two texts that are sent as one. */
const SEPARATOR = "\n\n";

/** How a conversation is shown. */
export interface MessageRules {
  /** Whether user and assistant must alternate, behind one system text. */
  alternateRoles: boolean;
  /** Whether the conversation is shown from its first message on: what the assistant says first is its greeting then. */
  isComplete: boolean;
  /** What the endpoint's params put around the prompt. */
  wrapper: PromptWrapper;
}

/**
 * - Blank messages are left out.
 * - System texts before the conversation become one; where roles alternate, those within it join them.
 * - A conversation whose beginning is cut off does not begin with an assistant's message.
 * - Where roles alternate, messages of one role in a row become one, and a greeting goes into the system text.
 *
 * @param messages the prompt last
 */
export function modelMessages(
  messages: ModelMessage[],
  { alternateRoles, isComplete, wrapper }: MessageRules,
): ModelMessage[] {
  const wrapped: ModelMessage[] = [{ role: "system", content: wrapper.system }, ...withWrapper(messages, wrapper)];
  const visible = wrapped.filter(({ content }) => content.trim() !== "");
  const start = firstIndex(visible, ({ role }) => role !== "system");
  const isInstruction = ({ role }: ModelMessage, index: number) =>
    role === "system" && (alternateRoles || index < start);
  const instructions = visible.filter(isInstruction);
  const turns = visible.filter((message, index) => !isInstruction(message, index));
  const firstUserIndex = firstIndex(turns, ({ role }) => role !== "assistant");
  const greeting = isComplete ? turns.slice(0, firstUserIndex) : [];
  const rest = turns.slice(firstUserIndex);
  return alternateRoles
    ? [...merge("system", [...instructions, ...greeting.map(asGreeting)]), ...mergeAdjacentRoles(rest)]
    : [...merge("system", instructions), ...greeting, ...rest];
}

function withWrapper(messages: ModelMessage[], { before, after }: PromptWrapper): ModelMessage[] {
  const prompt = messages.at(-1);
  return before + after === "" || !prompt
    ? messages
    : [...messages.slice(0, -1), { ...prompt, content: `${before}${prompt.content}${after}` }];
}

function firstIndex(messages: ModelMessage[], predicate: (message: ModelMessage) => boolean): number {
  const index = messages.findIndex(predicate);
  return index === -1 ? messages.length : index;
}

const asGreeting = ({ content }: ModelMessage): ModelMessage => ({
  role: "system",
  content: `You opened the conversation with this message:${SEPARATOR}${content}`,
});

const merge = (role: ModelMessage["role"], messages: ModelMessage[]): ModelMessage[] =>
  messages.length === 0 ? [] : [{ role, content: messages.map(({ content }) => content).join(SEPARATOR) }];

function mergeAdjacentRoles(messages: ModelMessage[]): ModelMessage[] {
  const turns: ModelMessage[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (last?.role === message.role) turns.splice(-1, 1, ...merge(message.role, [last, message]));
    else turns.push(message);
  }
  return turns;
}
