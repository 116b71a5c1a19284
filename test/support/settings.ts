import { env } from "cloudflare:workers";
import { afterEach } from "vitest";

const originals = new Map<string, unknown>();

/** Sets variables of the Worker until the end of the test. `undefined` removes one. */
export function setVariables(variables: Partial<Env>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (!originals.has(name)) originals.set(name, Reflect.get(env, name));
    Reflect.set(env, name, value);
  }
}

afterEach(() => {
  for (const [name, value] of originals) Reflect.set(env, name, value);
  originals.clear();
});
