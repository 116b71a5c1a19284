/**
 * Context strategies: what a comparison session adds to a prompt from earlier turns. Templates are applied afterwards.
 * Pure.
 */
import type { ContextStrategy } from "../core/prompt-template.ts";
import type { ModelMessage } from "../core/reply.ts";

/** How many earlier prepared prompts `add_previous_prompt` adds. */
const PREVIOUS_PROMPTS = 5;

/** The log of a chat, as far as strategies read it. A log can be long, so each reads only what it sends. */
export interface ChatLog {
  /** The newest prepared prompts, newest first. */
  preparedPrompts: (newest: number) => string[];
  /** The prompts that were answered, as they were sent, each with the reply, oldest first. */
  answeredPrompts: () => { prompt: string; reply: string }[];
}

/** The log of a chat without messages. */
export const EMPTY_LOG: ChatLog = { preparedPrompts: () => [], answeredPrompts: () => [] };

/**
 * Moonshot's `add_previous_prompt`: the prompt, directly followed by the last five prepared prompts of the chat, newest
 * first, each with a newline after it.
 */
export function addPreviousPrompts(prompt: string, preparedNewestFirst: string[]): string {
  return (
    prompt +
    preparedNewestFirst
      .slice(0, PREVIOUS_PROMPTS)
      .map((prepared) => `${prepared}\n`)
      .join("")
  );
}

/**
 * Applies a strategy to a prompt, before any template.
 *
 * @param log the chat so far
 * @returns the new text, and the messages to send before it
 */
export function applyStrategy(
  strategy: ContextStrategy | null,
  prompt: string,
  log: ChatLog,
): { text: string; history: ModelMessage[] } {
  switch (strategy) {
    case "add_previous_prompt":
      return { text: addPreviousPrompts(prompt, log.preparedPrompts(PREVIOUS_PROMPTS)), history: [] };
    case "chat_history":
      return { text: prompt, history: log.answeredPrompts().flatMap(toModelMessages) };
    case null:
      return { text: prompt, history: [] };
  }
}

function toModelMessages({ prompt, reply }: { prompt: string; reply: string }): ModelMessage[] {
  // Providers reject messages without text, so one empty reply would make every later prompt fail.
  if (reply.trim() === "") return [];
  return [
    { role: "user", content: prompt },
    { role: "assistant", content: reply },
  ];
}
