import type { EpochMs } from "./time.ts";

/** A Jinja template. The prompt is rendered with it before it is sent. */
export interface PromptTemplate {
  name: string;
  description: string;
  template: string;
  createdAt: EpochMs;
}

/** What is added to a prompt from earlier turns. */
export const CONTEXT_STRATEGIES = ["add_previous_prompt", "chat_history"] as const;

export type ContextStrategy = (typeof CONTEXT_STRATEGIES)[number];

export const asContextStrategy = (name: string | null): ContextStrategy | null =>
  CONTEXT_STRATEGIES.find((strategy) => strategy === name) ?? null;
