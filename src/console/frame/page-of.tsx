/** Shows a page by its name. All but Compare are loaded when they are shown first. */
import type { ComponentType } from "preact";
import { ComparePage } from "../compare/compare-page.tsx";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";

type Page = ComponentType<{ id: string }>;

const LOADERS: Record<string, () => Promise<Page>> = {
  chats: async () => (await import("../chats/chats-page.tsx")).ChatsPage,
  endpoints: async () => (await import("../endpoints/endpoints-page.tsx")).EndpointsPage,
  keys: async () => (await import("../keys/keys-page.tsx")).KeysPage,
};

export const PageOf = ({ name, id }: { name: string; id: string }) =>
  name === "compare" ? <ComparePage key={id} id={id} /> : <LoadedPage key={name} name={name} id={id} />;

function LoadedPage({ name, id }: { name: string; id: string }) {
  const { value, problem, reload } = useLoaded(async () => ({ Page: await LOADERS[name]?.() }), [name]);
  if (value?.Page) return <value.Page key={id} id={id} />;
  return <Problem problem={problem} onRetry={reload} />;
}
