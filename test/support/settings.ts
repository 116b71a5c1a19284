import { env } from "cloudflare:workers";
import { afterEach } from "vitest";

const kept = new Map<string, unknown>();

/** Sets variables of the Worker until the end of the test. `undefined` removes one. */
export function set(variables: Partial<Env>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!kept.has(name)) kept.set(name, Reflect.get(env, name));
    Reflect.set(env, name, value);
  }
}

afterEach(() => {
  for (const [name, value] of kept) Reflect.set(env, name, value);
  kept.clear();
});
