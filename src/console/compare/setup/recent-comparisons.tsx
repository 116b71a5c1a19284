/** The newest comparisons, to go on with. */
import { useConsole } from "../../context.ts";
import { addressOf } from "../../router.ts";
import { plural, shortTime } from "../../shared/format.ts";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";

const SHOWN = 12;

export function RecentComparisons() {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(() => api.comparisons.list({ limit: SHOWN }), [api]);
  if (value?.length === 0) return null;
  return (
    <aside class="recent" aria-label="Recent comparisons">
      <h2>Recent</h2>
      <Problem problem={problem} onRetry={reload} />
      <ul>
        {value?.map(({ session_id: id, name, created_epoch: created, endpoints }) => (
          <li key={id}>
            <a href={addressOf("compare", id)}>
              <span class="recent-name">{name}</span>
              <span class="recent-detail">
                {shortTime(new Date(created * 1000))} · {plural(endpoints.length, "endpoint")}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </aside>
  );
}
