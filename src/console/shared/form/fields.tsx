/** The fields of forms: a label, the control, and below it what the value means. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface ControlProps {
  id: string;
  /** The hint's, which is read after the label. */
  "aria-describedby": string | undefined;
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  children: (control: ControlProps) => ComponentChildren;
}

function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  const hasHint = hint !== undefined && hint !== "";
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": hasHint ? hintId : undefined })}
      {hasHint && (
        <p id={hintId} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface ValueProps {
  /** As the API calls it, such as `prices.input_per_million`: what the server says of it is shown with the label. */
  name?: string;
  label: string;
  hint?: ComponentChildren;
  value: string;
  onInput: (value: string) => void;
}

interface TextProps extends ValueProps {
  type?: "text" | "number";
  /** With it, what is written is not shown. */
  isSecret?: boolean;
  required?: boolean;
  placeholder?: string;
  min?: number;
  max?: number;
  step?: number | "any";
  maxLength?: number;
  /** With it, the field has so many lines. */
  rows?: number;
  readOnly?: boolean;
}

export const TextField = ({ label, hint, onInput, type = "text", isSecret, rows, ...given }: TextProps) => (
  <Field label={label} hint={hint}>
    {(control) => {
      const read = ({ currentTarget }: { currentTarget: { value: string } }) => onInput(currentTarget.value);
      const shared = { ...control, ...given, spellcheck: false, autocomplete: "off" as const, onInput: read };
      if (rows !== undefined) return <textarea {...shared} rows={rows} />;
      // Each type has attributes of its own.
      if (isSecret) return <input {...shared} type="password" />;
      return type === "number" ? <input {...shared} type="number" /> : <input {...shared} type="text" />;
    }}
  </Field>
);

/** @param props.hint what the name is good for, if that is not plain */
export const NameField = ({ hint, value, onInput }: Pick<ValueProps, "hint" | "value" | "onInput">) => (
  <TextField name="name" label="Name" hint={hint} required maxLength={200} value={value} onInput={onInput} />
);

export interface Option {
  value: string;
  title: string;
}

interface SelectProps extends ValueProps {
  options: readonly Option[];
  /** What it is called to choose nothing. Without it, something must be chosen. */
  none?: string;
  required?: boolean;
}

export const SelectField = ({ name, label, hint, value, options, none, required, onInput }: SelectProps) => (
  <Field label={label} hint={hint}>
    {(control) => (
      <select
        {...control}
        name={name}
        value={value}
        required={required}
        onChange={({ currentTarget }) => onInput(currentTarget.value)}
      >
        {none !== undefined && <option value="">{none}</option>}
        {/* The list may not be there yet, or no longer have it. */}
        {value !== "" && !options.some((option) => option.value === value) && <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.title}
          </option>
        ))}
      </select>
    )}
  </Field>
);
