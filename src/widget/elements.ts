/** Makes elements. Texts become text nodes, never markup. */

type Attributes = Readonly<Record<string, string | boolean>>;

/** @param attributes one that is `false` is left out */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes))
    if (value !== false) made.setAttribute(attribute, value === true ? "" : value);
  // Not `append`: the types of Workers, which the client needs, give it other parameters.
  for (const child of children) made.appendChild(typeof child === "string" ? document.createTextNode(child) : child);
  return made;
}

export function button(label: string, attributes: Attributes, onClick: () => void, ...children: (Node | string)[]) {
  const made = element("button", { type: "button", ...attributes }, ...(children.length > 0 ? children : [label]));
  if (children.length > 0) made.setAttribute("aria-label", label);
  made.addEventListener("click", onClick);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** @param path of an icon of 24 by 24 */
export function icon(path: string): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", path);
  svg.appendChild(drawn);
  return svg;
}
