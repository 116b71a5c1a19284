/**
 * What the console keeps in the browser: how one likes it, and what one chose last. A browser may refuse to keep anything; then the
 * console works without. Neither the token nor texts that nobody has sent yet are kept here: see `form/use-draft.ts`.
 */
import { useEffect, useState } from "preact/hooks";

const PREFIX = "parley.";

export function readKept<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Full, or not allowed.
  }
}

/** State that is still there after a reload. */
export function useKept<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const [entry, setEntry] = useState(() => ({ name, value: readKept(name, otherwise) }));
  const current = entry.name === name ? entry : { name, value: readKept(name, otherwise) };
  useEffect(() => {
    if (entry.name !== name) setEntry(current);
  });
  const set = (value: T) => {
    setEntry({ name, value });
    keep(name, value);
  };
  return [current.value, set];
}
