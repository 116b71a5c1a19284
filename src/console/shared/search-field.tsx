/** A field to search a list: it searches when one pauses, not at each letter. */
import { useEffect, useState } from "preact/hooks";

/** How long to wait for the next letter. */
const TYPING_MS = 250;

interface SearchProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

export function SearchField({ label, value, onChange }: SearchProps) {
  const [text, setText] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => text !== value && onChange(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="field search-field">
      <span>{label}</span>
      <input type="search" value={text} maxLength={200} onInput={({ currentTarget }) => setText(currentTarget.value)} />
    </label>
  );
}
