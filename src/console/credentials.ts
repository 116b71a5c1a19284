/**
 * Who uses the console, and with which token. The token is in the session storage of the tab, so it is gone with the tab,
 * and other tabs do not have it.
 *
 * Tried in this order: the token behind `#token=` (which leaves the address at once), that of the tab, on this machine the
 * key of a local start, which is public, and none at all: a server may let callers in without one.
 */
import { useCallback, useEffect, useState } from "preact/hooks";
import { ParleyClient, ParleyError } from "../client/index.ts";
import { LOCAL_SECRETS } from "../core/local-start.ts";
import type { Me } from "../client/types.ts";

const KEPT_AS = "parley.token";

export type SignIn =
  | { state: "checking" }
  | { state: "signed-out"; problem: unknown }
  | { state: "signed-in"; api: ParleyClient; me: Me };

export interface Credentials {
  signIn: SignIn;
  /** @throws why the token is not accepted */
  useToken: (token: string) => Promise<void>;
  signOut: () => void;
}

export function useCredentials(): Credentials {
  const [signIn, setSignIn] = useState<SignIn>({ state: "checking" });
  useEffect(() => void findSignIn().then(setSignIn), []);
  const useToken = useCallback(async (token: string) => {
    const found = await check(token);
    keepToken(token);
    setSignIn(found);
  }, []);
  const signOut = useCallback(() => {
    keepToken(null);
    setSignIn({ state: "signed-out", problem: null });
  }, []);
  return { signIn, useToken, signOut };
}

async function findSignIn(): Promise<SignIn> {
  const given = takeTokenOfAddress() ?? sessionStorage.getItem(KEPT_AS);
  let problem: unknown = null;
  for (const token of [
    ...(given === null ? [] : [given]),
    ...(isThisMachine() ? [LOCAL_SECRETS.ADMIN_KEY] : []),
    null,
  ]) {
    try {
      const found = await check(token);
      keepToken(token);
      return found;
    } catch (error) {
      // Without a token most servers let nobody in: that is no problem to show.
      if (token !== null && token === given) problem = error;
      if (!(error instanceof ParleyError)) return { state: "signed-out", problem: error };
    }
  }
  return { state: "signed-out", problem };
}

async function check(token: string | null): Promise<SignIn & { state: "signed-in" }> {
  const api = new ParleyClient({ url: location.origin, ...(token === null ? {} : { token }) });
  return { state: "signed-in", api, me: await api.me() };
}

/** `#token=…`, as `npm start` prints it. */
function takeTokenOfAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return null;
  history.replaceState(null, "", location.pathname);
  return token;
}

function keepToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(KEPT_AS);
  else sessionStorage.setItem(KEPT_AS, token);
}

const isThisMachine = (): boolean => /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(location.hostname);
