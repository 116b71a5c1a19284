/**
 * Converts a conversation to messages that providers accept. Providers reject messages without text, several system
 * messages, two messages of one role in a row, or a conversation that starts with the assistant. One such message would
 * make every later prompt of the session fail. The log stays unchanged. Pure.
 */
import type { PromptWrapper } from "../core/call-params.ts";
import type { ModelMessage } from "../core/reply.ts";

/** Between two texts that are sent as one. */
const SEPARATOR = "\n\n";

/** How a conversation is sent. */
export interface MessageRules {
  /** Whether user and assistant must alternate, after one system message. */
  alternateRoles: boolean;
  /**
   * Whether the conversation is sent from its first message. If so, a first message of the assistant is its greeting.
   */
  isComplete: boolean;
  /** Texts that the endpoint's params place around the prompt. */
  wrapper: PromptWrapper;
}

/**
 * - Removes blank messages.
 * - Merges the system messages before the conversation. If roles alternate, merges those within it too.
 * - Removes the assistant's messages from the start of a conversation whose beginning is cut off.
 * - If roles alternate, merges consecutive messages of one role, and moves a greeting to the system message.
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
