/**
 * Makes nodes of the page from the Markdown of a reply. Replies are hostile: a model may have read a page that wants to run a
 * script here, to load an image that says who reads, or to show a form that asks for a token. So only elements for text
 * pass, links lead elsewhere in a tab of their own, and nothing is loaded. The page's policy would stop what passes all the same.
 */
import DOMPurify from "dompurify";
import { Marked } from "marked";

const TEXT_ELEMENTS =
  "a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre strong sub sup table tbody td th thead tr ul".split(
    " ",
  );

/** Longer texts stay plain: reading them would stop the page for too long. */
const MAX_CHARACTERS = 60_000;

const marked = new Marked({ gfm: true, breaks: true, async: false });

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow ugc");
  }
  // They scroll when they are wide, and what scrolls must be reached by keyboard.
  if (node.tagName === "PRE" || node.tagName === "TABLE") node.setAttribute("tabindex", "0");
});

export function markdownToNodes(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  if (text.length > MAX_CHARACTERS) {
    fragment.append(text);
    return fragment;
  }
  const html = marked.parse(text, { async: false });
  const clean = DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TEXT_ELEMENTS,
    ALLOWED_ATTR: ["href", "start", "title"],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  fragment.append(clean);
  return fragment;
}
