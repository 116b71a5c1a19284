/** *Ratings*: how people rated answers, the newest first. At first it shows the bad ones. */
import { useState } from "preact/hooks";
import { BridgeDrawer } from "../bridge/bridge-drawer.tsx";
import type { ChatPart } from "../bridge/chat-part.ts";
import { Sections } from "../chats/list/sections.tsx";
import { useConsole } from "../context.ts";
import { ListPages } from "../shared/list-pages.tsx";
import { Problem } from "../shared/problem.tsx";
import { useKept } from "../shared/storage.ts";
import { useLoaded } from "../shared/use-loaded.ts";
import { loadNames } from "./names.ts";
import { BAD_ONES, RatingFilters } from "./rating-filters.tsx";
import type { RatingFilterValues } from "./rating-filters.tsx";
import { RatingRow } from "./rating-row.tsx";
import "../chats/chats.css";
import "../shared/rows.css";
import "./ratings.css";

const PAGE_SIZE = 25;

export function RatingsPage() {
  const { api } = useConsole();
  const [filters, setFilters] = useKept<RatingFilterValues>("ratings", BAD_ONES);
  const [skip, setSkip] = useState(0);
  const [compared, setCompared] = useState<ChatPart | null>(null);
  const { value: names } = useLoaded(() => loadNames(api), [api]);
  const { value, problem, reload } = useLoaded(
    () => api.feedback.list({ ...queryOf(filters), limit: PAGE_SIZE, skip }),
    [api, JSON.stringify(filters), skip],
  );
  const change = (changed: RatingFilterValues) => {
    setSkip(0);
    setFilters(changed);
  };
  return (
    <section class="page">
      <div class="page-head">
        <h1>Ratings of answers</h1>
      </div>
      <Sections current="ratings" />
      <RatingFilters values={filters} names={names} onChange={change} />
      <Problem problem={problem} onRetry={reload} />
      {value?.results.length === 0 && <p class="note">No answer has a rating like this.</p>}
      {value && value.results.length > 0 && (
        <ul class="rows">
          {value.results.map((rating) => (
            <RatingRow
              key={`${rating.sessionId}/${rating.seq}`}
              rating={rating}
              names={names}
              onCompare={setCompared}
            />
          ))}
        </ul>
      )}
      {value && <ListPages total={value.paginatorInfo.total} skip={skip} size={PAGE_SIZE} onSkip={setSkip} />}
      {compared && <BridgeDrawer from={compared} onClose={() => setCompared(null)} />}
    </section>
  );
}

/** Fields that are empty filter nothing. */
const queryOf = (filters: RatingFilterValues) =>
  Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== ""));
