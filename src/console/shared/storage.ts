/**
 * What the console keeps in the browser: texts that nobody has sent yet, and how one likes it. A browser may refuse to keep
 * anything; then the console works without. The token is not kept here.
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

/** @param value `null` removes what was kept */
export function keep(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
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
