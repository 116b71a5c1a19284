/** A thing that changes by itself, such as a reply that streams, and the hook of a component that shows it. */
import { useLayoutEffect, useState } from "preact/hooks";

export class Observable {
  version = 0;
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}

/** Renders the component again when the thing changes. */
export function useChanges(observable: Observable): void {
  const [, setVersion] = useState(observable.version);
  useLayoutEffect(() => {
    const update = () => setVersion(observable.version);
    // It may have changed since the component was rendered.
    update();
    return observable.subscribe(update);
  }, [observable]);
}
