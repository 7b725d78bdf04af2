// @ts-check
/** LaTeX in Markdown: finds it, and sets it with KaTeX within limits. What is over a limit stays as its source. */
import { el } from "./dom.js";

/** More formulas in one text, or more letters of TeX, and none of them is set. */
export const FORMULAS = 200;
export const TEX_CHARS = 20_000;

const FORMULA_CHARS = 2_000;
const INLINE = "language-moa-math";
const DISPLAY = "language-moa-display";

// trust off: no \href, \includegraphics, \html…; sizes in em; maxExpand ends macros that grow
const limits = { trust: false, strict: "ignore", throwOnError: true, maxSize: 10, maxExpand: 200 };

const block = /^(?: {0,3})(?:\$\$([^$]{1,4000}?)\$\$|\\\[([\s\S]{1,4000}?)\\\])[^\S\n]*(?:\n|$)/;
const rules = [
  { display: true, pattern: /^\$\$([^$\n]{1,2000})\$\$/ },
  { display: true, pattern: /^\\\[([\s\S]{1,2000}?)\\\]/ },
  { display: false, pattern: /^\\\(([\s\S]{1,2000}?)\\\)/ },
  // as pandoc has it: no space inside the dollars, no digit after them, so that prices stay prices
  { display: false, pattern: /^\$(?![\s$])((?:\\.|[^$\\\n]){0,1000}?(?:\\.|[^$\\\s]))\$(?!\d)/ },
];

/** Extensions for marked: a block and an inline token whose renderer leaves a marked `<code>` for `typeset`. */
export const mathExtensions = [
  {
    name: "mathBlock",
    level: /** @type {const} */ ("block"),
    /** @param {string} source */
    start: (source) => source.match(/(?:^|\n) {0,3}(?:\$\$|\\\[)/)?.index,
    /** @param {string} source */
    tokenizer(source) {
      const found = block.exec(source);
      return found ? { type: "mathBlock", raw: found[0], tex: (found[1] ?? found[2] ?? "").trim(), display: true } : undefined;
    },
    renderer,
  },
  {
    name: "mathInline",
    level: /** @type {const} */ ("inline"),
    /** @param {string} source */
    start: (source) => source.match(/\$|\\[([]/)?.index,
    /** @param {string} source */
    tokenizer(source) {
      for (const { display, pattern } of rules) {
        const found = pattern.exec(source);
        if (found) return { type: "mathInline", raw: found[0], tex: (found[1] ?? "").trim(), display };
      }
      return undefined;
    },
    renderer,
  },
];

/** @param {any} token */
function renderer(token) {
  const source = token.tex.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const code = `<code class="${token.display ? DISPLAY : INLINE}">${source}</code>`;
  return token.type === "mathBlock" ? `<p>${code}</p>` : code;
}

/**
 * The formulas under a node: a place each, which holds its source until it is set.
 * @param {ParentNode} root
 * @returns {HTMLElement[]}
 */
export function formulas(root) {
  const sources = [...root.querySelectorAll(`code.${INLINE}, code.${DISPLAY}`)];
  return sources.filter((code) => code.parentElement?.tagName !== "PRE").map((code) => {
    const tex = code.textContent ?? "";
    const alone = code.classList.contains(DISPLAY);
    const kind = alone ? "moa-math moa-math-display" : "moa-math";
    // one that stands alone may be wider than its column: it is then scrolled by keyboard too
    const tabindex = alone ? "0" : null;
    const place = el("span", { class: kind, "data-tex": tex, dir: "ltr", tabindex }, el("code", { text: tex }));
    code.replaceWith(place);
    return place;
  });
}

/** @type {any} */
let katex = null;
/** @type {Promise<void>|null} */
let loading = null;

/**
 * Set formulas in their places, at once when KaTeX is here, else as soon as it is.
 * @param {HTMLElement[]} places
 */
export function typeset(places) {
  if (places.length === 0) return;
  if (katex !== null) places.forEach(set);
  else {
    loading ??= import("../vendor/katex-0.19.1/katex.js").then((module) => { katex = module.default; });
    loading.then(() => places.forEach(set), () => { loading = null; });
  }
}

/** Show a formula's source, for good. @param {HTMLElement} place */
export function unset(place) {
  if ("plain" in place.dataset) return;
  place.dataset.plain = "";
  place.replaceChildren(el("code", { text: place.dataset.tex ?? "" }));
}

/** @param {HTMLElement} place */
function set(place) {
  const tex = place.dataset.tex ?? "";
  if (tex.length > FORMULA_CHARS || "plain" in place.dataset) return;
  try {
    const displayMode = place.classList.contains("moa-math-display");
    katex.render(tex, place, { ...limits, displayMode });
  } catch {
    // ParseError: not TeX, or over a limit; RangeError: nested too deeply for the stack
    place.replaceChildren(el("code", { text: tex }));
  }
}
