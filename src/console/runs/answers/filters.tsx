/** Which answers of a run are listed. */
import type { Run } from "../../../client/types.ts";
import { useEndpointTitle } from "../../shared/endpoint-titles.tsx";
import type { Filter } from "./rows.ts";

export const NO_FILTER: Filter = {};

/** What one asks for, and the fields of the query. */
const OUTCOMES: Record<string, { title: string; fields: Pick<Filter, "status" | "pass"> }> = {
  "": { title: "All answers", fields: {} },
  passed: { title: "Passed", fields: { pass: "true" } },
  "not-passed": { title: "Not passed", fields: { pass: "false" } },
  failed: { title: "Failed", fields: { status: "error" } },
};

interface FiltersProps {
  run: Run;
  filter: Filter;
  onChange: (filter: Filter) => void;
}

export function Filters({ run, filter, onChange }: FiltersProps) {
  const titleOf = useEndpointTitle();
  const change = (fields: Filter) => onChange(compact({ ...filter, ...fields }));
  return (
    <form class="filters" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      <OutcomeSelect filter={filter} onChange={change} />
      <label class="field">
        <span>Endpoint</span>
        <select
          value={filter.endpoint ?? ""}
          onChange={({ currentTarget }) => change({ endpoint: currentTarget.value })}
        >
          <option value="">All</option>
          {run.endpoints.map((id) => (
            <option key={id} value={id}>
              {titleOf(id)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Item</span>
        <input
          type="search"
          value={filter.item ?? ""}
          placeholder="Its id, as it is"
          onChange={({ currentTarget }) => change({ item: currentTarget.value.trim() })}
        />
      </label>
    </form>
  );
}

function OutcomeSelect({ filter: { status, pass }, onChange }: Omit<FiltersProps, "run">) {
  const [chosen] =
    Object.entries(OUTCOMES).find(([, { fields }]) => fields.status === status && fields.pass === pass) ?? [];
  return (
    <label class="field">
      <span>Show</span>
      <select
        value={chosen ?? ""}
        onChange={({ currentTarget }) =>
          onChange({ status: undefined, pass: undefined, ...OUTCOMES[currentTarget.value]?.fields })
        }
      >
        {Object.entries(OUTCOMES).map(([name, { title }]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Without what filters nothing. */
const compact = (filter: Filter): Filter =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== ""));
