/**
 * Samples in several languages as tabs. The chosen language holds for all samples and is kept in the browser.
 * https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
 */
import { element } from "./element.ts";

const STORAGE_KEY = "parley-docs-language";

let next = 0;

export function addTabs(): void {
  for (const group of document.querySelectorAll<HTMLElement>(".tabs")) makeTabs(group);
  choose(readChoice());
}

function makeTabs(group: HTMLElement): void {
  const panels = [...group.querySelectorAll<HTMLElement>("[data-tab]")];
  const list = element("div", { role: "tablist", "aria-label": "Language" });
  for (const panel of panels) {
    next += 1;
    const title = panel.dataset["tab"] ?? "";
    panel.id = `sample-${next}`;
    panel.setAttribute("role", "tabpanel");
    panel.querySelector(".tab-title")?.remove();
    const tab = element(
      "button",
      { type: "button", role: "tab", "aria-controls": panel.id, "data-title": title },
      title,
    );
    tab.addEventListener("click", () => choose(title));
    list.append(tab);
  }
  list.addEventListener("keydown", moveByArrows);
  group.prepend(list);
}

function moveByArrows(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step === undefined || !(event.currentTarget instanceof HTMLElement)) return;
  const tabs = [...event.currentTarget.querySelectorAll("button")];
  const place = tabs.findIndex((tab) => tab === document.activeElement);
  const tab = tabs.at((place + step) % tabs.length);
  if (!tab) return;
  choose(tab.dataset["title"] ?? "");
  tab.focus();
}

function choose(title: string): void {
  for (const tab of document.querySelectorAll<HTMLElement>("[role=tab]")) {
    const isChosen = tab.dataset["title"] === title;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  for (const panel of document.querySelectorAll<HTMLElement>("[data-tab]"))
    panel.hidden = panel.dataset["tab"] !== title;
  keepChoice(title);
}

/** A browser may forbid its storage. */
function readChoice(): string {
  try {
    return localStorage.getItem(STORAGE_KEY) ?? "curl";
  } catch {
    return "curl";
  }
}

function keepChoice(title: string): void {
  try {
    localStorage.setItem(STORAGE_KEY, title);
  } catch {
    // The choice holds for this page then.
  }
}
