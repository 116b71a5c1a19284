/**
 * The addresses of the console: `#/compare`, or `#/compare/<id>`. They are behind the `#`, so that all are one file for the
 * server, and no id is in a log of addresses.
 */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  page: string;
  /** What the page shows, such as a session; empty for its start. */
  id: string;
}

export function readRoute(hash: string): Route {
  const [page = "", id = ""] = hash.replace(/^#\/?/, "").split("/");
  return { page, id: decode(id) };
}

export const addressOf = (page: string, id = ""): string => `#/${page}${id === "" ? "" : `/${encodeURIComponent(id)}`}`;

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
