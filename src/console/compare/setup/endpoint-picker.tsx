/** The choice of endpoints. */
import { useState } from "preact/hooks";
import type { Endpoint } from "../../../client/types.ts";

/** With fewer, one sees them all. */
const SEARCH_FROM = 9;

interface PickerProps {
  /** `null` while they are loaded. */
  endpoints: Endpoint[] | null;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

export function EndpointPicker({ endpoints, chosen, onChange }: PickerProps) {
  const [search, setSearch] = useState("");
  if (!endpoints) return <p class="hint">Loading the endpoints …</p>;
  if (endpoints.length === 0)
    return <p class="note">There are no endpoints yet. An admin adds them under Endpoints.</p>;
  const wanted = search.trim().toLowerCase();
  const shown = endpoints.filter(({ id, name, model }) => `${id} ${name} ${model}`.toLowerCase().includes(wanted));
  const toggle = (id: string) =>
    onChange(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  return (
    <fieldset class="picker">
      <legend>Endpoints</legend>
      <div class="picker-tools">
        {endpoints.length >= SEARCH_FROM && <SearchField search={search} onChange={setSearch} />}
        <button type="button" class="quiet" onClick={() => onChange([...new Set([...chosen, ...shown.map(idOf)])])}>
          All
        </button>
        <button type="button" class="quiet" onClick={() => onChange([])} disabled={chosen.length === 0}>
          None
        </button>
      </div>
      <ul class="picker-list">
        {shown.map((endpoint) => (
          <li key={endpoint.id}>
            <Choice endpoint={endpoint} isChosen={chosen.includes(endpoint.id)} onToggle={() => toggle(endpoint.id)} />
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p class="hint">No endpoint is called like this.</p>}
    </fieldset>
  );
}

const idOf = ({ id }: Endpoint): string => id;

const SearchField = ({ search, onChange }: { search: string; onChange: (search: string) => void }) => (
  <input
    type="search"
    aria-label="Search endpoints"
    placeholder="Search"
    value={search}
    onInput={({ currentTarget }) => onChange(currentTarget.value)}
  />
);

interface ChoiceProps {
  endpoint: Endpoint;
  isChosen: boolean;
  onToggle: () => void;
}

const Choice = ({ endpoint, isChosen, onToggle }: ChoiceProps) => (
  <label class="choice">
    <input type="checkbox" checked={isChosen} onChange={onToggle} />
    <span class="choice-name">{endpoint.name}</span>
    <span class="choice-detail">{endpoint.model || endpoint.connector_type.replace(/-connector$/, "")}</span>
  </label>
);
