/** The pages of the console, and who may see them. Pure. */
import type { Me } from "../../client/types.ts";

export interface Page {
  /** As in the address. */
  name: string;
  title: string;
  roles: readonly Me["role"][];
  /** The page that leads to it. Without it, the page is in the line above every page. */
  within?: string;
}

const PAGES: readonly Page[] = [
  { name: "compare", title: "Compare", roles: ["admin", "service"] },
  { name: "chats", title: "Chats", roles: ["admin", "service", "operator", "client"] },
  { name: "bookmarks", title: "Bookmarks", roles: ["admin", "service"], within: "compare" },
  { name: "runs", title: "Runs", roles: ["admin", "service"] },
  { name: "waiting", title: "Waiting", roles: ["admin", "service", "operator"], within: "chats" },
  { name: "ratings", title: "Ratings", roles: ["admin", "service", "operator"], within: "chats" },
  { name: "chatbots", title: "Chatbots", roles: ["admin", "service"] },
  { name: "clients", title: "Clients", roles: ["admin", "service", "operator"] },
  { name: "endpoints", title: "Endpoints", roles: ["admin", "service"] },
  { name: "keys", title: "Keys", roles: ["admin"] },
];

/** The first one is what one sees after the sign-in. */
export const pagesOf = (role: Me["role"]): Page[] => PAGES.filter(({ roles }) => roles.includes(role));
