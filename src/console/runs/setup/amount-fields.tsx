/** How often each item is put, and how many conversations go on at once. */

export interface Amounts {
  repeat: number;
  concurrency: number;
}

export const DEFAULT_AMOUNTS: Amounts = { repeat: 1, concurrency: 8 };

/** As many as the API takes. */
const MAX_REPEAT = 100;
const MAX_CONCURRENCY = 64;

interface FieldsProps {
  amounts: Amounts;
  onChange: (amounts: Amounts) => void;
}

export const AmountFields = ({ amounts, onChange }: FieldsProps) => (
  <div class="fields-row">
    <NumberField
      name="repeat"
      label="Put each item so many times"
      most={MAX_REPEAT}
      value={amounts.repeat}
      onChange={(repeat) => onChange({ ...amounts, repeat })}
    />
    <NumberField
      name="concurrency"
      label="Conversations at once"
      most={MAX_CONCURRENCY}
      value={amounts.concurrency}
      onChange={(concurrency) => onChange({ ...amounts, concurrency })}
    />
  </div>
);

interface NumberProps {
  /** As the API calls it. */
  name: string;
  label: string;
  most: number;
  value: number;
  onChange: (value: number) => void;
}

const NumberField = ({ name, label, most, value, onChange }: NumberProps) => (
  <label class="field">
    <span>{label}</span>
    <input
      type="number"
      name={name}
      min={1}
      max={most}
      step={1}
      required
      value={value}
      onChange={({ currentTarget }) =>
        onChange(Math.min(most, Math.max(1, Math.round(Number(currentTarget.value)) || 1)))
      }
    />
  </label>
);
