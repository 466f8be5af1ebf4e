/** Elements: how this page makes and finds parts of itself. Texts never become markup. */

/**
 * @param {string} selector CSS selector of an element that is in the page.
 * @param {ParentNode} [within]
 * @returns {any}
 */
export function find(selector, within = document) {
  const element = within.querySelector(selector);
  if (!element) throw new Error(`the page lacks ${selector}`);
  return element;
}

/**
 * @param {string} name such as `td`.
 * @param {Record<string, any>} [attributes] functions become listeners; false and null are left out.
 * @param {...(Node|string|number)} children
 */
export function make(name, attributes = {}, ...children) {
  return furnished(document.createElement(name), attributes, children);
}

/** As `make`, of an element of SVG. */
export function draw(name, attributes = {}, ...children) {
  return furnished(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function furnished(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return element;
}
