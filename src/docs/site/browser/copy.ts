/** A button at each piece of code that copies it. Effects: the page, the clipboard. */
import { element } from "./element.ts";

/** How long the button says that it has copied, in milliseconds. */
const CONFIRMED_MS = 1_500;

export function addCopyButtons(): void {
  for (const block of document.querySelectorAll("pre")) {
    const button = element("button", { type: "button", class: "copy" }, "Copy");
    button.addEventListener("click", () => void copy(block.innerText, button));
    const around = element("div", { class: "code" });
    block.replaceWith(around);
    around.append(block, button);
  }
}

async function copy(text: string, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it and copy by hand";
  }
  setTimeout(() => (button.textContent = "Copy"), CONFIRMED_MS);
}
