/**
 * Context strategies: what a comparison session adds to a prompt from earlier turns. Templates are applied afterwards.
 * Pure.
 */
import type { ContextStrategy } from "../core/prompt-template.ts";
import type { AnsweredPrompt, ModelMessage } from "../core/reply.ts";

/** How many earlier prepared prompts `add_previous_prompt` adds, unless the session says otherwise. */
export const PREVIOUS_PROMPTS = 5;

/** The log of a chat, as far as strategies read it. A log can be long, so each reads only what it sends. */
export interface ChatLog {
  /** The newest prepared prompts, newest first. */
  preparedPrompts: (newest: number) => string[];
  /** The newest prompts that were answered, as they were sent, each with the reply, oldest first; `null` for all. */
  answeredPrompts: (newest: number | null) => AnsweredPrompt[];
}

/** The log of a chat without messages. */
export const EMPTY_LOG: ChatLog = { preparedPrompts: () => [], answeredPrompts: () => [] };

/**
 * Moonshot's `add_previous_prompt`: the prompt, directly followed by the last prepared prompts of the chat, newest first, each with a newline after it.
 */
export function addPreviousPrompts(
  prompt: string,
  preparedNewestFirst: string[],
  previousPrompts = PREVIOUS_PROMPTS,
): string {
  return (
    prompt +
    preparedNewestFirst
      .slice(0, previousPrompts)
      .map((prepared) => `${prepared}\n`)
      .join("")
  );
}

/**
 * Applies a strategy to a prompt, before any template.
 *
 * @param log the chat so far
 * @param previousPrompts how many earlier prompts it adds; `null` for as many as it does by itself
 * @returns the new text, and the messages to send before it
 */
export function applyStrategy(
  strategy: ContextStrategy | null,
  prompt: string,
  log: ChatLog,
  previousPrompts: number | null = null,
): { text: string; history: ModelMessage[] } {
  switch (strategy) {
    case "add_previous_prompt": {
      const newest = previousPrompts ?? PREVIOUS_PROMPTS;
      return { text: addPreviousPrompts(prompt, log.preparedPrompts(newest), newest), history: [] };
    }
    case "chat_history":
      return { text: prompt, history: log.answeredPrompts(previousPrompts).flatMap(toModelMessages) };
    case null:
      return { text: prompt, history: [] };
  }
}

function toModelMessages(answered: AnsweredPrompt): ModelMessage[] {
  if (!("prompt" in answered)) return [answered];
  const { prompt, reply } = answered;
  // Providers reject messages without text, so one empty reply would make every later prompt fail.
  if (reply.trim() === "") return [];
  return [
    { role: "user", content: prompt },
    { role: "assistant", content: reply },
  ];
}
