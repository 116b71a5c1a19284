/** The choice of endpoints and chatbots. */
import { useState } from "preact/hooks";
import type { Choice } from "./choices.ts";

/** With fewer, one sees them all. */
const SEARCH_FROM = 9;

interface PickerProps {
  /** `null` while they are loaded. */
  choices: Choice[] | null;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

export function EndpointPicker({ choices, chosen, onChange }: PickerProps) {
  const [search, setSearch] = useState("");
  if (!choices) return <p class="hint">Loading the endpoints …</p>;
  if (choices.length === 0) return <p class="note">There are no endpoints yet. An admin adds them under Endpoints.</p>;
  const wanted = search.trim().toLowerCase();
  const shown = choices.filter(({ id, name, detail }) => `${id} ${name} ${detail}`.toLowerCase().includes(wanted));
  const toggle = (id: string) =>
    onChange(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  return (
    <fieldset class="picker" name="endpoints">
      <legend>Endpoints and chatbots</legend>
      <div class="picker-tools">
        {choices.length >= SEARCH_FROM && <SearchField search={search} onChange={setSearch} />}
        <button type="button" class="quiet" onClick={() => onChange([...new Set([...chosen, ...shown.map(idOf)])])}>
          All
        </button>
        <button type="button" class="quiet" onClick={() => onChange([])} disabled={chosen.length === 0}>
          None
        </button>
      </div>
      <ul class="picker-list">
        {shown.map((choice) => (
          <li key={choice.id}>
            <Box choice={choice} isChosen={chosen.includes(choice.id)} onToggle={() => toggle(choice.id)} />
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p class="hint">No endpoint is called like this.</p>}
    </fieldset>
  );
}

const idOf = ({ id }: Choice): string => id;

const SearchField = ({ search, onChange }: { search: string; onChange: (search: string) => void }) => (
  <input
    type="search"
    aria-label="Search endpoints"
    placeholder="Search"
    value={search}
    onInput={({ currentTarget }) => onChange(currentTarget.value)}
  />
);

interface BoxProps {
  choice: Choice;
  isChosen: boolean;
  onToggle: () => void;
}

const Box = ({ choice, isChosen, onToggle }: BoxProps) => (
  <label class="choice">
    <input type="checkbox" checked={isChosen} onChange={onToggle} />
    <span class="choice-name">{choice.name}</span>
    <span class="choice-detail">{choice.detail}</span>
  </label>
);
