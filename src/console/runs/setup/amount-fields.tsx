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
      label="Put each item so many times"
      most={MAX_REPEAT}
      value={amounts.repeat}
      onChange={(repeat) => onChange({ ...amounts, repeat })}
    />
    <NumberField
      label="Conversations at once"
      most={MAX_CONCURRENCY}
      value={amounts.concurrency}
      onChange={(concurrency) => onChange({ ...amounts, concurrency })}
    />
  </div>
);

interface NumberProps {
  label: string;
  most: number;
  value: number;
  onChange: (value: number) => void;
}

const NumberField = ({ label, most, value, onChange }: NumberProps) => (
  <label class="field">
    <span>{label}</span>
    <input
      type="number"
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
