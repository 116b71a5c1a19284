import type { EpochMs } from "./time.ts";

/** Jinja text that a prompt is set in before it is sent. */
export interface PromptTemplate {
  name: string;
  description: string;
  template: string;
  createdAt: EpochMs;
}

/** What is sent along with a prompt, beside itself. */
export const CONTEXT_STRATEGIES = ["add_previous_prompt", "chat_history"] as const;

export type ContextStrategy = (typeof CONTEXT_STRATEGIES)[number];

export const asContextStrategy = (name: string | null): ContextStrategy | null =>
  CONTEXT_STRATEGIES.find((strategy) => strategy === name) ?? null;
