/** A range of days, by a quick choice or by two dates. Days are UTC, as the lists of the API count them. */
import { SelectField } from "./form/fields.tsx";

export interface Days {
  /** As `2026-11-27`; empty for no limit. */
  startDate: string;
  endDate: string;
}

const DAY_MS = 86_400_000;

const dayBefore = (days: number): string => new Date(new Date().getTime() - days * DAY_MS).toISOString().slice(0, 10);

/** How many days ago the first and the last day are. */
const QUICK: Record<string, [first: number, last: number]> = {
  today: [0, 0],
  yesterday: [1, 1],
  "last 7 days": [6, 0],
};

const daysOf = (name: string): Days => {
  const [first, last] = QUICK[name] ?? [];
  return first === undefined || last === undefined
    ? { startDate: "", endDate: "" }
    : { startDate: dayBefore(first), endDate: dayBefore(last) };
};

const isSame = (one: Days, other: Days): boolean => one.startDate === other.startDate && one.endDate === other.endDate;

interface RangeProps {
  days: Days;
  /** What happened on these days, such as `Begun`, if the list has other times too. */
  about?: string;
  onChange: (days: Days) => void;
}

export function DateRange({ days, about, onChange }: RangeProps) {
  const chosen = ["", ...Object.keys(QUICK)].find((name) => isSame(daysOf(name), days));
  const options = Object.keys(QUICK).map((name) => ({ value: name, title: name }));
  const { startDate, endDate } = days;
  return (
    <>
      <SelectField
        label="Days"
        none="any"
        value={chosen ?? "other days"}
        options={options}
        onInput={(name) => onChange(daysOf(name))}
      />
      <DateField
        label={about === undefined ? "From" : `${about} from`}
        value={startDate}
        onChange={(date) => onChange({ startDate: date, endDate })}
      />
      <DateField
        label={about === undefined ? "To" : `${about} to`}
        value={endDate}
        onChange={(date) => onChange({ startDate, endDate: date })}
      />
    </>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

const DateField = ({ label, value, onChange }: FieldProps) => (
  <label class="field">
    <span>{label}</span>
    <input type="date" value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)} />
  </label>
);
