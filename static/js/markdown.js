// @ts-check
/** Markdown that streams: only the block that grows is rendered again; all before it keep their elements. */
import { CodeBlock, dressCode } from "./code.js";
import { el, fill } from "./dom.js";
import { FORMATTED_CHARS, cut, freezes } from "./guard.js";
import { FORMULAS, TEX_CHARS, formulas, typeset, unset } from "./math.js";
import { sanitize } from "./sanitize.js";
import { blocksOf, htmlOf } from "./syntax.js";
import { texts } from "./texts.js";

/** A rendering that took longer is the last one of that text with formatting. Milliseconds. */
const SLOW_MS = 600;

/**
 * @typedef {object} Block
 * @property {string} key raw text and what its look depends on
 * @property {string} raw
 * @property {Element|null} element null: nothing to see, as a blank line
 * @property {CodeBlock|null} code
 * @property {HTMLElement[]} formulas
 */

/** One text of a model, shown as Markdown and updated in place. */
export class MarkdownView {
  constructor() {
    this.element = el("div", { class: "moa-md", dir: "auto" });
    this.text = "";
    this.growing = false;
    this.plain = false;
    /** @type {Block[]} */
    this.blocks = [];
  }

  /**
   * Show a text. `growing` means that more will be appended: the last block may still change its kind.
   * @param {string} text @param {boolean} growing
   */
  update(text, growing) {
    if (text === this.text && growing === this.growing) return;
    const formatted = cut(text, FORMATTED_CHARS);
    if (!text.startsWith(this.text)) this.plain = false;
    if (this.plain || freezes(formatted)) this.showPlain(text);
    else this.showFormatted(text, formatted, growing);
    this.text = text;
    this.growing = growing;
    this.element.toggleAttribute("data-growing", growing);
  }

  /** @param {string} text @param {string} formatted @param {boolean} growing */
  showFormatted(text, formatted, growing) {
    const began = performance.now();
    try {
      this.renderBlocks(formatted, growing);
      this.showRest(text.slice(formatted.length));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.showPlain(text); // nested deeper than the stack
      return;
    }
    if (performance.now() - began > SLOW_MS) this.plain = growing;
  }

  /** @param {string} formatted @param {boolean} growing */
  renderBlocks(formatted, growing) {
    const kept = growing && this.growing && formatted.startsWith(this.text) ? this.stable() : 0;
    const offset = this.blocks.slice(0, kept).reduce((sum, block) => sum + block.raw.length, 0);
    const tokens = blocksOf(formatted.slice(offset));
    const definitions = JSON.stringify(tokens.links);
    const old = this.blocks.slice(kept);
    const known = Map.groupBy(old, (block) => block.key);
    const fresh = tokens.map((token, index) => {
      const key = `${token.type} ${definitions} ${token.raw}`;
      if (token.type === "code") return codeBlock(token, key, old[index], growing && index === tokens.length - 1);
      return known.get(key)?.shift() ?? newBlock(token, key);
    });
    this.blocks = [...this.blocks.slice(0, kept), ...fresh];
    this.limitMath();
    fill(this.element, this.blocks.flatMap((block) => block.element ?? []));
  }

  /** How many blocks appended text cannot change any more: all but the last two that are not blank. */
  stable() {
    let unsure = 2;
    let kept = this.blocks.length;
    while (kept > 0 && unsure > 0) {
      kept -= 1;
      if (this.blocks[kept]?.raw.trim()) unsure -= 1;
    }
    return kept;
  }

  /** Set the formulas that are new; past the limits none of the text is set, and those that are go back to source. */
  limitMath() {
    const all = this.blocks.flatMap((block) => block.formulas);
    const tex = all.reduce((sum, node) => sum + (node.dataset.tex?.length ?? 0), 0);
    if (all.length > FORMULAS || tex > TEX_CHARS) all.forEach(unset);
    else typeset(all.filter((node) => !node.isConnected));
  }

  /** @param {string} rest */
  showRest(rest) {
    if (!rest) return;
    this.element.append(el("p", { class: "moa-quiet", text: texts.cut(FORMATTED_CHARS) }), el("pre", { class: "moa-plain", text: rest }));
  }

  /** @param {string} text */
  showPlain(text) {
    this.plain = true;
    this.blocks = [];
    const pre = this.element.querySelector(":scope > pre.moa-plain[data-whole]");
    if (pre) pre.textContent = text;
    else this.element.replaceChildren(el("p", { class: "moa-quiet", text: texts.plain }), el("pre", { class: "moa-plain", "data-whole": "", text }));
  }
}

/**
 * @param {import("./syntax.js").Token} token @param {string} key
 * @returns {Block}
 */
function newBlock(token, key) {
  if (token.type === "space" || token.type === "def") return { key, raw: token.raw, element: null, code: null, formulas: [] };
  const element = el("div", { class: "moa-block" });
  element.append(sanitize(htmlOf(token)));
  dressCode(element);
  dressTables(element);
  return { key, raw: token.raw, element, code: null, formulas: formulas(element) };
}

/**
 * @param {import("./syntax.js").Token} token @param {string} key @param {Block|undefined} old @param {boolean} growing
 * @returns {Block} the block that stood at this place before, when it only grew
 */
function codeBlock(token, key, old, growing) {
  const language = (token.lang ?? "").trim().split(/\s/, 1)[0].slice(0, 40);
  const before = old?.code ?? null;
  const grew = before !== null && before.language === language && token.text.startsWith(before.text);
  const code = grew ? before : new CodeBlock(language);
  code.update(token.text, growing);
  return { key, raw: token.raw, element: code.element, code, formulas: [] };
}

/** Wide tables scroll on their own, from the keyboard too. @param {ParentNode} root */
function dressTables(root) {
  for (const table of root.querySelectorAll("table")) {
    const frame = el("div", { class: "moa-table", tabindex: "0", role: "group" });
    table.replaceWith(frame);
    frame.append(table);
  }
}
