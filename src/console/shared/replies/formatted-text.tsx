/** A reply that is complete, as Markdown. What reads and cleans Markdown is loaded with the first reply that is complete. */
import { useLayoutEffect, useRef } from "preact/hooks";

type MarkdownToNodes = (text: string) => DocumentFragment;

let renderer: Promise<MarkdownToNodes> | undefined;

const loadRenderer = () => (renderer ??= import("./markdown.ts").then(({ markdownToNodes }) => markdownToNodes));

export function FormattedText({ text }: { text: string }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    let isCurrent = true;
    // Until then, and if it cannot be loaded, the text as it is.
    if (element.childElementCount === 0) element.textContent = text;
    loadRenderer().then(
      (markdownToNodes) => isCurrent && element.replaceChildren(markdownToNodes(text)),
      () => (renderer = undefined),
    );
    return () => {
      isCurrent = false;
    };
  }, [text]);
  return <div class="text text-formatted" ref={place} />;
}
