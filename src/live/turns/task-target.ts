/** The endpoint of a chat, with what its request needs besides the row. Effects: reads the log. */
import type { Endpoint } from "../../core/endpoint.ts";
import { PROVIDERS } from "../../providers/registry.ts";
import type { TaskTarget } from "../../turn/prepare-turn.ts";
import type { Log } from "../log/log.ts";

export const targetOf = (log: Log, chatId: string, endpoint: Endpoint | null): TaskTarget | null =>
  endpoint && {
    endpoint,
    // Only the echo endpoint needs the count, and counting reads the chat's whole log.
    previousCalls: endpoint.connectorType === "echo-connector" ? log.chats.countCalls(chatId) : 0,
    alternateRoles: PROVIDERS[endpoint.connectorType].alternateRoles,
  };
