/**
 * Context strategies: what a comparison session adds to a prompt from earlier turns. Templates are applied afterwards.
 * Pure.
 */
import type { ContextStrategy } from "../core/prompt-template.ts";
import type { Message } from "../core/message.ts";
import type { ModelMessage } from "../core/reply.ts";

/** How many earlier prepared prompts `add_previous_prompt` adds. */
const PREVIOUS_PROMPTS = 5;

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
 * @param replies the chat's earlier replies, oldest first
 * @returns the new text, and the messages to send before it
 */
export function applyStrategy(
  strategy: ContextStrategy | null,
  prompt: string,
  replies: Message[],
): { text: string; history: ModelMessage[] } {
  switch (strategy) {
    case "add_previous_prompt": {
      const prepared = replies.flatMap(({ reply }) =>
        reply && reply.preparedPrompt !== "" ? [reply.preparedPrompt] : [],
      );
      return { text: addPreviousPrompts(prompt, prepared.reverse()), history: [] };
    }
    case "chat_history":
      return { text: prompt, history: replies.flatMap(toModelMessages) };
    case null:
      return { text: prompt, history: [] };
  }
}

function toModelMessages({ reply, content }: Message): ModelMessage[] {
  // Providers reject messages without text, so one empty reply would make every later prompt fail.
  if (reply?.status !== "ok" || content.trim() === "") return [];
  return [
    { role: "user", content: reply.preparedPrompt },
    { role: "assistant", content },
  ];
}
