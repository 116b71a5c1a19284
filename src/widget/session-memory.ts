/** Keeps the id of the session in the browser, so that a reload goes on with it. */

export interface SessionMemory {
  read: () => string | null;
  /** @param id `null` forgets it */
  write: (id: string | null) => void;
}

export function sessionMemory(key: string): SessionMemory {
  return {
    read: () => withStorage((storage) => storage.getItem(key)),
    write: (id) => {
      withStorage((storage) => (id === null ? storage.removeItem(key) : storage.setItem(key, id)));
    },
  };
}

/** A browser may keep pages from storing anything. */
function withStorage<T>(use: (storage: Storage) => T): T | null {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}
