/** What the parts of a message get. */
import type { ChatMessage } from "./conversation.ts";
import type { MessageFacts } from "./message-facts.ts";
import type { Run } from "./run.ts";
import type { Tool } from "./tools/tool.ts";

export interface ItemProps {
  id: string;
  message: ChatMessage;
  /** All messages that are shown, oldest first. */
  shown: ChatMessage[];
  /** The message itself, and those in its place. */
  variants: ChatMessage[];
  facts: MessageFacts | undefined;
  /** Whether the conversation takes messages. */
  isActive: boolean;
  run: Run;
  /** Loads what no event says. */
  onChanged: () => void;
  onTool: (tool: Tool) => void;
}
