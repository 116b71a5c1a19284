/** Tokens of the person who uses the page. Calls the page's own server, which knows who that is. */
import { Connection } from "../client/connection.ts";
import type { TokenSource } from "../client/connection.ts";

interface TokenAnswer {
  token?: unknown;
}

/** @param url answers a POST with `{token, expiresAt?}` */
export function tokenSource(url: string): TokenSource {
  const page = new Connection({ url });
  return async () => {
    const { token } = await page.call<TokenAnswer>({ method: "POST", path: "", repeats: "as-is" });
    if (typeof token !== "string" || token === "") throw new Error(`POST ${url} answered without a token`);
    return token;
  };
}
