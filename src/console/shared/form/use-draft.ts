/**
 * The fields of a form, with what was written into them and not saved yet: that is still there when the drawer was closed, or
 * the page loaded again. It is kept in the tab only, as it may name people.
 */
import { useState } from "preact/hooks";

export interface Draft<Fields> {
  fields: Fields;
  set: (name: keyof Fields) => (value: string) => void;
  /** Whether it differs from what is saved. */
  isChanged: boolean;
  /** Forgets what was written. */
  discard: () => void;
}

/** @param name of the form @param saved what it holds when nothing was written */
export function useDraft<Fields extends Record<string, string>>(name: string, saved: Fields): Draft<Fields> {
  const key = `parley.form.${name}`;
  const [written, setWritten] = useState<Partial<Fields>>(() => read<Fields>(key));
  const fields = { ...saved, ...written };
  const write = (changed: Partial<Fields>) => {
    setWritten(changed);
    try {
      if (Object.keys(changed).length === 0) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify(changed));
    } catch {
      // Full, or not allowed: the form works without.
    }
  };
  return {
    fields,
    set: (field) => (value) => {
      const { [field]: _, ...others } = written;
      write((saved[field] === value ? others : { ...written, [field]: value }) as Partial<Fields>);
    },
    isChanged: Object.keys(written).length > 0,
    discard: () => write({}),
  };
}

function read<Fields>(key: string): Partial<Fields> {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "{}") as Partial<Fields>;
  } catch {
    return {};
  }
}
