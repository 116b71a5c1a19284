/** The context strategies as Moonshot 0.7 lists them. No effects. */
import type { ContextStrategy } from "../../../core/prompt-template.ts";

interface Details {
  id: ContextStrategy;
  name: string;
  description: string;
}

const TEXTS: Record<ContextStrategy, Omit<Details, "id">> = {
  add_previous_prompt: {
    name: "Add previous prompts",
    description:
      "Puts the newest prompts of the chat, as they were sent, behind the new one. 5 unless you say how many.",
  },
  chat_history: {
    name: "Chat history",
    description: "Sends the newest prompts and their replies before the new prompt, as a conversation.",
  },
};

export const CONTEXT_STRATEGY_DETAILS: Details[] = Object.entries(TEXTS).map(([id, texts]) => ({
  id: id as ContextStrategy,
  ...texts,
}));
