/** The filters of the list of conversations. */
import { useConsole } from "../../context.ts";
import { ClientSelect } from "../../shared/client-select.tsx";
import { DateRange } from "../../shared/date-range.tsx";
import type { Days } from "../../shared/date-range.tsx";
import { SearchField } from "../../shared/search-field.tsx";

export interface FilterValues extends Days {
  searchString: string;
  status: string;
  handler: string;
  clientId: string;
}

export const NO_FILTERS: FilterValues = {
  searchString: "",
  status: "",
  handler: "",
  clientId: "",
  startDate: "",
  endDate: "",
};

export const isFiltered = (values: FilterValues): boolean => Object.values(values).some((value) => value !== "");

const STATUSES = ["ACTIVE", "SCHEDULED", "COMPLETED", "TERMINATED"];

interface FiltersProps {
  values: FilterValues;
  onChange: (values: FilterValues) => void;
}

export function Filters({ values, onChange }: FiltersProps) {
  const set = (name: keyof FilterValues) => (value: string) => onChange({ ...values, [name]: value });
  return (
    <form class="filters" role="search" aria-label="Chats" onSubmit={(event) => event.preventDefault()}>
      <SearchField
        key={isFiltered(values) ? "some" : "none"}
        label="Title"
        value={values.searchString}
        onChange={set("searchString")}
      />
      <Choice
        label="Status"
        value={values.status}
        options={STATUSES.map((name) => [name, name.toLowerCase()])}
        onChange={set("status")}
      />
      <Choice
        label="Answered by"
        value={values.handler}
        options={[
          ["waiting", "waits for a person"],
          ["human", "a person"],
          ["bot", "the chatbot"],
        ]}
        onChange={set("handler")}
      />
      <ClientChoice value={values.clientId} onChange={set("clientId")} />
      <DateRange about="Begun" days={values} onChange={(days) => onChange({ ...values, ...days })} />
      <button type="button" class="quiet" disabled={!isFiltered(values)} onClick={() => onChange(NO_FILTERS)}>
        Clear
      </button>
    </form>
  );
}

interface FieldProps {
  value: string;
  onChange: (value: string) => void;
}

/** A client's own token sees no other clients. */
function ClientChoice({ value, onChange }: FieldProps) {
  const { me } = useConsole();
  return me.role === "client" ? null : <ClientSelect label="Client" value={value} none="any" onChange={onChange} />;
}

interface ChoiceProps extends FieldProps {
  label: string;
  options: [value: string, title: string][];
}

export const Choice = ({ label, value, options, onChange }: ChoiceProps) => (
  <label class="field">
    <span>{label}</span>
    <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="">any</option>
      {options.map(([name, title]) => (
        <option key={name} value={name}>
          {title}
        </option>
      ))}
    </select>
  </label>
);
