/**
 * Finds the server that a program calls: the one at `PARLEY_URL`, or the one on the default port of this machine.
 *
 * Calls the server, and reads the environment and `.dev.vars`.
 */
import { ParleyClient } from "../client/index.ts";
import type { ParleyError } from "../client/index.ts";
import { isParley } from "./listening-address.ts";
import { NO_RESULT, UserError } from "./program.ts";
import { DEFAULT_ADDRESS, localAdminKey } from "./settings.ts";

/** @returns `null` if none was named and none runs here @throws {@link UserError} if the one that was named does not answer */
export async function findServer(): Promise<ParleyClient | null> {
  const givenAddress = process.env["PARLEY_URL"]?.replace(/\/+$/, "");
  const address = givenAddress || DEFAULT_ADDRESS;
  if (await isParley(address))
    return new ParleyClient({ url: address, token: process.env["PARLEY_KEY"] || localAdminKey() });
  if (!givenAddress) return null;
  throw new UserError(`Parley does not answer at ${givenAddress}. Is it running? Is PARLEY_URL right?`, NO_RESULT);
}

/** The token of the calls as a shell takes it between double quotes: the variable, or what a local start has. */
export const tokenInShell = (): string =>
  process.env["PARLEY_KEY"] ? "$PARLEY_KEY" : localAdminKey().replace(/["$`\\]/g, "\\$&");

/** @param role whose key the call needs */
export function explainRefusal({ status, message }: ParleyError, url: string, role: string): string {
  if (status !== 401 && status !== 403) return message;
  return `Parley at ${url} needs a key of role ${role}. Set PARLEY_KEY to it and run this again.`;
}
