/**
 * What endpoints are called where the API has their ids only: a chatbot among them by its name. The names are loaded once for a page,
 * and only if it has a chatbot. Calls the network.
 */
import type { ComponentChildren } from "preact";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { useConsole } from "../context.ts";
import { distinctTitles } from "./distinct-titles.ts";
import { listAll } from "./list-all.ts";
import { useLoaded } from "./use-loaded.ts";

type Titles = ReadonlyMap<string, string>;

const PREFIX = "chatbot:";

/** @returns the names of the chatbots among endpoints, by the ids of these, as soon as they are loaded */
export function useChatbotNames(endpoints: readonly string[]): Titles {
  const { api } = useConsole();
  const wanted = [...new Set(endpoints.filter((id) => id.startsWith(PREFIX)))].toSorted().join(" ");
  const { value } = useLoaded(
    async () => (wanted === "" ? [] : listAll((query) => api.chatbots.list(query))),
    [api, wanted],
  );
  return new Map(value?.map(({ id, name }) => [PREFIX + id, name]));
}

/** @returns a title for each endpoint, which differs from all others. One that was deleted has its id. */
export function titlesOf(endpoints: readonly string[], names: Titles): Titles {
  const ids = [...new Set(endpoints)];
  const titles = distinctTitles(ids.map((id) => names.get(id) ?? id));
  return new Map(ids.map((id, index) => [id, titles[index] ?? id]));
}

const TitlesContext = createContext<Titles>(new Map());

interface TitlesProps {
  /** All that the page shows. */
  endpoints: readonly string[];
  children: ComponentChildren;
}

/** Names the endpoints of all that is in it. */
export function EndpointTitles({ endpoints, children }: TitlesProps) {
  const titles = titlesOf(endpoints, useChatbotNames(endpoints));
  return <TitlesContext.Provider value={titles}>{children}</TitlesContext.Provider>;
}

/** @returns what gives the title of an endpoint */
export function useEndpointTitle(): (endpoint: string) => string {
  const titles = useContext(TitlesContext);
  return (endpoint) => titles.get(endpoint) ?? endpoint;
}
