/**
 * What runs on the pages of the documentation: search, copy buttons, tabs of samples, and the forms that try a call. Everything
 * else works without a script. Effects: the page, the clipboard, calls to this host.
 */
import "./style.css";
import { addCopyButtons } from "./copy.ts";
import { addSearch } from "./search.ts";
import { addTabs } from "./tabs.ts";
import { addTryForms } from "./try.ts";

showChosenTheme();
addCopyButtons();
addTabs();
addSearch();
addTryForms();

// The list of pages is open on wide screens only.
const pages = document.querySelector<HTMLDetailsElement>("nav.side > details");
if (pages && matchMedia("(max-width: 60rem)").matches) pages.open = false;
document.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" });

/** The theme that the reader has chosen in the console, if any. A browser may forbid its storage. */
function showChosenTheme(): void {
  try {
    const theme = localStorage.getItem("parley.theme");
    if (theme !== null) document.documentElement.dataset["theme"] = String(JSON.parse(theme));
  } catch {
    // The page has the theme of the system then.
  }
}
