/** Shows a page by its name. All but Compare are loaded when they are shown first. */
import type { ComponentType } from "preact";
import { ComparePage } from "../compare/compare-page.tsx";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";

interface PlaceProps {
  /** What the page shows; empty for its start. */
  id: string;
  /** A place in it; empty for none. */
  part: string;
}

type Page = ComponentType<PlaceProps>;

const LOADERS: Record<string, () => Promise<Page>> = {
  bookmarks: async () => (await import("../bookmarks/bookmarks-page.tsx")).BookmarksPage,
  chats: async () => (await import("../chats/chats-page.tsx")).ChatsPage,
  runs: async () => (await import("../runs/runs-page.tsx")).RunsPage,
  chatbots: async () => (await import("../chatbots/chatbots-page.tsx")).ChatbotsPage,
  clients: async () => (await import("../clients/clients-page.tsx")).ClientsPage,
  endpoints: async () => (await import("../endpoints/endpoints-page.tsx")).EndpointsPage,
  keys: async () => (await import("../keys/keys-page.tsx")).KeysPage,
  ratings: async () => (await import("../ratings/ratings-page.tsx")).RatingsPage,
  waiting: async () => (await import("../waiting/waiting-page.tsx")).WaitingPage,
};

export const PageOf = ({ name, id, part }: PlaceProps & { name: string }) =>
  name === "compare" ? (
    <ComparePage key={id} id={id} part={part} />
  ) : (
    <LoadedPage key={name} name={name} id={id} part={part} />
  );

function LoadedPage({ name, id, part }: PlaceProps & { name: string }) {
  const { value, problem, reload } = useLoaded(async () => ({ Page: await LOADERS[name]?.() }), [name]);
  if (value?.Page) return <value.Page key={id} id={id} part={part} />;
  return <Problem problem={problem} onRetry={reload} />;
}
