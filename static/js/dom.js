// @ts-check
/** Making and changing elements. Text always goes in as text, never as markup. */

/**
 * Make an element. Attributes: `class`, `text`, `on<event>` functions, booleans, else strings; null leaves one out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * Where a component draws: the element of its template, which carries our styles.
 * @param {HTMLElement} element as Gradio hands it out
 * @returns {Element}
 */
export function rootOf(element) {
  return element.querySelector(":scope > .moa-root") ?? element;
}

/**
 * Set a node's text, touching the page only when it differs.
 * @param {Node} node @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Set or (null) remove an attribute, touching the page only when it differs.
 * @param {Element} node @param {string} name @param {string|null} value
 */
export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** @param {HTMLElement} node @param {boolean} shown */
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/**
 * Put children first under a parent, in this order. Those that stand right are not touched; others come after.
 * @param {Element} parent @param {Element[]} children
 */
export function order(parent, children) {
  children.forEach((child, index) => {
    if (parent.children[index] !== child) place(parent, child, parent.children[index] ?? null);
  });
}

/**
 * Remove all children after the first `length`.
 * @param {Element} parent @param {number} length
 */
export function trim(parent, length) {
  while (parent.children.length > length) parent.lastElementChild?.remove();
}

/**
 * Make these the only children, in this order.
 * @param {Element} parent @param {Element[]} children
 */
export function fill(parent, children) {
  order(parent, children);
  trim(parent, children.length);
}

/**
 * Move or insert a node and keep what moving would lose: scroll positions, focus, running animations.
 * @param {Element} parent @param {Element} node @param {Element|null} [before]
 */
export function place(parent, node, before = null) {
  const both = node.isConnected && parent.isConnected;
  const mover = /** @type {any} */ (parent);
  if (both && typeof mover.moveBefore === "function") {
    mover.moveBefore(node, before);
    return;
  }
  const restore = both ? remember(node) : null;
  parent.insertBefore(node, before);
  restore?.();
}

/**
 * @param {Element} node
 * @returns {() => void} puts scroll positions and focus back
 */
function remember(node) {
  const scrolled = [...node.querySelectorAll("*")].filter((child) => child.scrollTop || child.scrollLeft);
  const positions = scrolled.map((child) => /** @type {const} */ ([child, child.scrollTop, child.scrollLeft]));
  const focused = node.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  return () => {
    for (const [child, top, left] of positions) child.scrollTo({ top, left, behavior: "instant" });
    focused?.focus({ preventScroll: true });
  };
}
