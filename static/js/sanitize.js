// @ts-check
/** The only door by which model text becomes elements: an allow-list, then links and media made harmless. */
import createPurify from "../vendor/dompurify-3.4.18/purify.js";
import { hardenLinks, insteadOf } from "./links.js";
import { texts } from "./texts.js";

const TAGS = ("a abbr b blockquote br caption code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 "
  + "hr i ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup table tbody td tfoot th "
  + "thead tr u ul var wbr").split(" ");
const ATTRIBUTES = ["href", "title", "start", "align", "class", "open", "dir", "lang"];
const images = new Set(["img", "image"]);
const media = new Set(["video", "audio", "embed", "object", "iframe"]);
const language = /^language-[\w+#.-]{1,40}$/;

const purify = /** @type {any} */ (createPurify)(window);

purify.addHook("uponSanitizeElement", (/** @type {Node} */ node, /** @type {{tagName: string}} */ { tagName }) => {
  const isImage = images.has(tagName);
  if (!(node instanceof Element) || node.parentNode === null || !(isImage || media.has(tagName))) return;
  const address = node.getAttribute("src") ?? node.getAttribute("data") ?? node.getAttribute("href");
  const link = isImage ? insteadOf(address, texts.image, texts.imageHere) : insteadOf(address, texts.media, "");
  node.parentNode.insertBefore(link, node);
});

purify.addHook("uponSanitizeAttribute", (/** @type {Element} */ node, /** @type {any} */ data) => {
  // a class could dress model text as a part of the page; only the language of code passes
  if (data.attrName === "class") data.keepAttr = node.nodeName === "CODE" && language.test(data.attrValue);
});

/**
 * HTML of a Markdown renderer as a fragment that runs nothing, loads nothing and imitates nothing of the page.
 * @param {string} html
 * @returns {DocumentFragment}
 */
export function sanitize(html) {
  const fragment = purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
  hardenLinks(fragment);
  return fragment;
}
