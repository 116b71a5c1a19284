/** Search over all pages. The index is loaded when the field gets the focus. Effects: the page, one call for the index. */
import MiniSearch from "minisearch";
import type { SearchEntry } from "../search-entry.ts";
import { element } from "./element.ts";

const SHOWN = 12;

let index: Promise<MiniSearch<SearchEntry>> | undefined;

export function addSearch(): void {
  const place = document.querySelector<HTMLElement>(".search");
  if (!place) return;
  const input = element("input", {
    type: "search",
    placeholder: "Search (press /)",
    "aria-label": "Search the documentation",
    autocomplete: "off",
    spellcheck: "false",
  });
  const results = element("ul", { class: "results", "aria-label": "Results" });
  const status = element("p", { class: "visually-hidden", role: "status" });
  results.hidden = true;
  place.append(input, results, status);
  const address = place.dataset["index"] ?? "";
  input.addEventListener("focus", () => void load(address));
  input.addEventListener("input", () => void show(input.value, address, results, status));
  place.addEventListener("keydown", (event) => handleKey(event, input, results));
  place.addEventListener("focusout", (event) => {
    if (!(event.relatedTarget instanceof Node && place.contains(event.relatedTarget))) results.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target !== document.body) return;
    event.preventDefault();
    input.focus();
  });
}

/** A call that fails is made again at the next key. */
function load(address: string): Promise<MiniSearch<SearchEntry>> {
  index ??= fetchIndex(address).catch((error: unknown) => {
    index = undefined;
    throw error;
  });
  return index;
}

async function fetchIndex(address: string): Promise<MiniSearch<SearchEntry>> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The search index answers ${answer.status}`);
  const search = new MiniSearch<SearchEntry>({
    fields: ["heading", "page", "text"],
    storeFields: ["id", "page", "heading"],
    searchOptions: { boost: { heading: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
  });
  search.addAll((await answer.json()) as SearchEntry[]);
  return search;
}

async function show(query: string, address: string, results: HTMLElement, status: HTMLElement): Promise<void> {
  try {
    const found = query.trim() === "" ? [] : (await load(address)).search(query).slice(0, SHOWN);
    results.replaceChildren(
      ...found.map(({ id, ...entry }) =>
        element(
          "li",
          {},
          element("a", { href: String(id) }, String(entry["heading"]), element("small", {}, String(entry["page"]))),
        ),
      ),
    );
    status.textContent = query.trim() === "" ? "" : `${found.length} results`;
    if (found.length === 0 && query.trim() !== "") results.replaceChildren(element("li", {}, "Nothing found."));
  } catch {
    results.replaceChildren(element("li", {}, "The search could not be loaded. Try again."));
  }
  results.hidden = query.trim() === "";
}

function handleKey(event: KeyboardEvent, input: HTMLInputElement, results: HTMLElement): void {
  const stops: HTMLElement[] = [input, ...results.querySelectorAll("a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    results.hidden = true;
    input.focus();
  }
  if (event.key === "Enter" && event.target === input) results.querySelector("a")?.click();
  if (step === undefined) return;
  event.preventDefault();
  const place = stops.findIndex((stop) => stop === document.activeElement);
  stops.at((place + step) % stops.length)?.focus();
}
