/**
 * The addresses of the console: `#/compare`, `#/compare/<id>`, or `#/chats/<id>/<seq>`. They are behind the `#`, so that all are
 * one file for the server, and no id is in a log of addresses.
 */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  page: string;
  /** What the page shows, such as a session; empty for its start. */
  id: string;
  /** A place in what it shows, such as a message; empty for none. */
  part: string;
  /** What a link asks of the page, such as a filter: `#/chats?clientId=…`. */
  query: URLSearchParams;
}

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", id = "", part = ""] = path.split("/");
  return { page, id: decode(id), part: decode(part), query: new URLSearchParams(query) };
}

export const addressOf = (page: string, id = "", part: string | number = ""): string =>
  `#/${[page, id, `${part}`]
    .filter((piece) => piece !== "")
    .map(encodeURIComponent)
    .join("/")}`;

/** The address of a page's start that asks something of it. */
export const addressWith = (page: string, query: Record<string, string>): string =>
  `${addressOf(page)}?${new URLSearchParams(query).toString()}`;

export function goTo(page: string, id = ""): void {
  location.hash = addressOf(page, id);
}

/** The route of the address, also when it changes. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = () => setHash(location.hash);
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return readRoute(hash);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
