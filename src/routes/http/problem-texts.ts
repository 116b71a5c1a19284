/** Parts of the messages of problems: what was not found, and what uses a resource. No effects. */
import type { ResourceType, Users } from "../../core/failure.ts";

/** How many users of a thing to name. */
const MAX_NAMED_USERS = 5;

const USER_NOUNS: Readonly<Record<Users["kind"], readonly [one: string, many: string]>> = {
  chatbot: ["chatbot", "chatbots"],
  "active-session": ["active session", "active sessions"],
  "open-session": ["session that has not ended", "sessions that have not ended"],
};

export function usersText({ kind, ids, hasMore }: Users): string {
  const [one, many] = USER_NOUNS[kind];
  const count = ids.length === 1 ? `1 ${one}` : `${ids.length}${hasMore ? " or more" : ""} ${many}`;
  return `${count}: ${ids.slice(0, MAX_NAMED_USERS).join(", ")}${ids.length > MAX_NAMED_USERS ? ", …" : ""}`;
}

export const notFoundMessage = (resource: ResourceType, id: string | null): string => {
  const name = resource.charAt(0).toUpperCase() + resource.slice(1);
  return id === null ? `${name} not found` : `${name} "${id}" not found`;
};
