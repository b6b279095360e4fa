/** Small helpers that make elements without ever parsing HTML from data. */

type Attributes = Record<string, string | EventListener>;

/** An element with attributes, listeners (`onclick`) and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string') node.setAttribute(name, value);
    else node.addEventListener(name.replace(/^on/, ''), value);
  }
  node.append(...children);
  return node;
}

/** The one element a page must have. */
export function need<T extends HTMLElement = HTMLElement>(selector: string): T {
  const node = document.querySelector<T>(selector);
  if (!node) throw new Error(`page lacks ${selector}`);
  return node;
}
