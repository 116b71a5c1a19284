/** What every page of the console knows: the calls, who makes them, and what to do when a token is no longer accepted. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ParleyClient } from "../client/index.ts";
import type { Me } from "../client/types.ts";

export interface Console {
  api: ParleyClient;
  me: Me;
}

export const ConsoleContext = createContext<Console | null>(null);

/** Inside a page only: the pages are shown to who has signed in. */
export function useConsole(): Console {
  const value = useContext(ConsoleContext);
  if (!value) throw new Error("Only pages behind the sign-in use the API");
  return value;
}
