import type { ContextStrategy } from "../core/prompt-template.ts";
import type { Message } from "../core/message.ts";
import type { ModelMessage } from "../core/reply.ts";

/** How many prepared prompts `add_previous_prompt` looks back. */
const PREVIOUS_PROMPTS = 5;

/**
 * Moonshot's `add_previous_prompt`: the prompt, and right behind it each of the chat's last five prepared prompts,
 * newest first, each followed by a newline.
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
 * What a strategy makes of a prompt, before any template.
 *
 * @param replies the chat's earlier replies, oldest first
 * @returns the text to put, and the turns that go before it
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
  // Providers refuse a message without text: one empty answer would fail every prompt after it.
  if (reply?.status !== "ok" || content.trim() === "") return [];
  return [
    { role: "user", content: reply.preparedPrompt },
    { role: "assistant", content },
  ];
}
