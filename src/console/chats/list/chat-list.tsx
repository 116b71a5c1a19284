/** The list of conversations, newest first, with its filters. */
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../../context.ts";
import { addressOf, useRoute } from "../../router.ts";
import { ListPages } from "../../shared/list-pages.tsx";
import { Problem } from "../../shared/problem.tsx";
import { useKept } from "../../shared/storage.ts";
import { useLoaded } from "../../shared/use-loaded.ts";
import { ChatRows } from "./chat-rows.tsx";
import { Filters, NO_FILTERS, isFiltered } from "./filters.tsx";
import type { FilterValues } from "./filters.tsx";
import { NewChat } from "./new-chat.tsx";
import { Sections } from "./sections.tsx";

const PAGE_SIZE = 25;
/** How often the list is loaded again while one looks at it, so that who waits for a person is seen. */
const RELOAD_MS = 10_000;

export function ChatList() {
  const { api, me } = useConsole();
  const [filters, setFilters] = useKept<FilterValues>("chats", NO_FILTERS);
  const [skip, setSkip] = useState(0);
  const { value, problem, reload } = useLoaded(
    () => api.sessions.list({ ...queryOf(filters), limit: PAGE_SIZE, skip }),
    [api, JSON.stringify(filters), skip],
  );
  useEffect(() => {
    const timer = setInterval(reload, RELOAD_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const change = (changed: FilterValues) => {
    setSkip(0);
    setFilters(changed);
  };
  const clientId = useRoute().query.get("clientId");
  useEffect(() => {
    if (clientId === null) return;
    change({ ...NO_FILTERS, clientId });
    // From here on the fields have it.
    history.replaceState(null, "", addressOf("chats"));
  }, [clientId]);
  return (
    <section class="page">
      <div class="page-head">
        <h1>Chats</h1>
        {(me.role === "admin" || me.role === "service") && <NewChat />}
      </div>
      <Sections current="chats" />
      <Filters values={filters} onChange={change} />
      <Problem problem={problem} onRetry={reload} />
      {value?.results.length === 0 && (
        <p class="note">{isFiltered(filters) ? "No chat is like this. Change a filter." : "There is no chat yet."}</p>
      )}
      {value && value.results.length > 0 && <ChatRows sessions={value.results} />}
      {value && <ListPages total={value.paginatorInfo.total} skip={skip} size={PAGE_SIZE} onSkip={setSkip} />}
    </section>
  );
}

/** Fields that are empty filter nothing. */
const queryOf = (filters: FilterValues) =>
  Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== ""));
