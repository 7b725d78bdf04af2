// @ts-check
/** Markdown's grammar for this page: GitHub's, with LaTeX, headings below the page's own and no form controls. */
import { Marked } from "../vendor/marked-18.2.1/marked.js";
import { insteadOf } from "./links.js";
import { mathExtensions } from "./math.js";
import { texts } from "./texts.js";

/** Levels a heading is moved down: the page's own headings stand above those of a text. */
const HEADING_SHIFT = 2;

/** @type {any} */
const renderer = {
  /** @this {any} @param {{tokens: Token[], depth: number}} token */
  heading(token) {
    const level = Math.min(token.depth + HEADING_SHIFT, 6);
    return `<h${level}>${this.parser.parseInline(token.tokens)}</h${level}>\n`;
  },
  checkbox: (/** @type {{checked: boolean}} */ { checked }) => (checked ? "☑ " : "☐ "),
  image: (/** @type {{href: string}} */ { href }) => insteadOf(href, texts.image, texts.imageHere).outerHTML,
};

const marked = new Marked({ gfm: true, extensions: /** @type {any} */ (mathExtensions), renderer });

/** @typedef {{type: string, raw: string, [key: string]: any}} Token */

/**
 * The blocks of a text, in order; their `raw` add up to it.
 * @param {string} text
 * @returns {Token[] & {links: Record<string, {href: string}>}}
 */
export function blocksOf(text) {
  return /** @type {any} */ (marked.lexer(text));
}

/**
 * One block as HTML that has still to be sanitised.
 * @param {Token} token
 */
export function htmlOf(token) {
  return /** @type {string} */ (marked.parser(/** @type {any} */ ([token])));
}
