/**
 * Who uses the console, and with which token. The token is in the session storage of the tab, so it is gone with the tab,
 * and other tabs do not have it.
 *
 * It is the token behind `#token=` (which leaves the address at once), or that of the tab. Without either, on this machine it
 * is the key of a local start, which is public, and then none at all: a server may let callers in without one.
 */
import { useCallback, useEffect, useState } from "preact/hooks";
import { ParleyClient, ParleyError } from "../client/index.ts";
import { LOCAL_SECRETS } from "../core/local-start.ts";
import type { Me } from "../client/types.ts";
import { forgetTextsOfOthers } from "./shared/form/use-draft.ts";

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

/** A token that was given and is refused is the end: nobody should be signed in as somebody else without a word. */
async function findSignIn(): Promise<SignIn> {
  const given = takeTokenOfAddress() ?? sessionStorage.getItem(KEPT_AS);
  for (const token of given === null ? tokensOfNobody() : [given]) {
    try {
      const found = await check(token);
      keepToken(token);
      return found;
    } catch (error) {
      const isRefused = error instanceof ParleyError && error.status === 401;
      if (given !== null && isRefused) keepToken(null);
      // Without a token most servers let nobody in: that is no problem to show.
      if (given !== null || !isRefused) return { state: "signed-out", problem: error };
    }
  }
  return { state: "signed-out", problem: null };
}

/** What is tried when nobody has given a token. */
const tokensOfNobody = (): (string | null)[] => [...(isThisMachine() ? [LOCAL_SECRETS.ADMIN_KEY] : []), null];

async function check(token: string | null): Promise<SignIn & { state: "signed-in" }> {
  const api = new ParleyClient({ url: location.origin, ...(token === null ? {} : { token }) });
  const me = await api.me();
  forgetTextsOfOthers(me);
  return { state: "signed-in", api, me };
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
