// @ts-check
/** A block of code: language, copy button, colours by highlight.js. */
import { copyButton } from "./copy.js";
import { el } from "./dom.js";
import { texts } from "./texts.js";

const COLOURED_CHARS = 20_000;
/** While code grows it is coloured again only when it has grown by this much, which keeps the sum linear. */
const GROWTH = 1.2;

/** @type {any} */
let highlighter = null;
/** @type {Promise<void>|null} */
let loading = null;

/** One block that can grow in place, so that a reader's selection, scroll position and click survive. */
export class CodeBlock {
  /** @param {string} language as the fence names it, may be empty */
  constructor(language) {
    this.language = language;
    this.text = "";
    this.coloured = 0;
    this.code = el("code");
    this.element = el("figure", { class: "moa-code" },
      el("figcaption", {}, el("span", { class: "moa-code-language", text: language || "text" }),
        copyButton(texts.copyCode, () => this.text, texts.copy)),
      el("pre", { tabindex: "0", dir: "ltr" }, this.code));
  }

  /** @param {string} text @param {boolean} growing */
  update(text, growing) {
    if (text.startsWith(this.text)) this.code.append(text.slice(this.text.length));
    else this.code.textContent = text;
    const changed = text !== this.text;
    this.text = text;
    if (growing ? text.length > this.coloured * GROWTH : changed || this.coloured < text.length) this.colour();
  }

  colour() {
    if (!this.language || this.text.length > COLOURED_CHARS) return;
    this.coloured = this.text.length;
    if (highlighter !== null) paint(this.code, this.text, this.language);
    else {
      loading ??= import("../vendor/highlight-11.12.0/highlight.js").then((module) => { highlighter = module.default; });
      loading.then(() => paint(this.code, this.text, this.language), () => { loading = null; });
    }
  }
}

/** @param {HTMLElement} code @param {string} text @param {string} language */
function paint(code, text, language) {
  if (!highlighter.getLanguage(language)) return;
  const result = highlighter.highlight(text, { language, ignoreIllegals: true });
  code.replaceChildren(...result._emitter.rootNode.children.map(painted));
}

/**
 * highlight.js' own token tree as elements: its HTML is never parsed.
 * @param {any} token
 * @returns {Node}
 */
function painted(token) {
  if (typeof token === "string") return document.createTextNode(token);
  const scope = String(token.scope ?? "").split(".").map((part, depth) => (depth ? part + "_".repeat(depth) : `hljs-${part}`));
  return el("span", { class: token.scope ? scope.join(" ") : null }, ...token.children.map(painted));
}

/**
 * Replace every plain `<pre><code>` under a node by a block with its language and copy button.
 * @param {ParentNode} root
 */
export function dressCode(root) {
  for (const code of root.querySelectorAll("pre > code")) {
    const language = [...code.classList].find((name) => name.startsWith("language-"))?.slice(9) ?? "";
    const block = new CodeBlock(language);
    block.update((code.textContent ?? "").replace(/\n$/, ""), false);
    code.parentElement?.replaceWith(block.element);
  }
}
