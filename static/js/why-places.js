// @ts-check
/** Where the sentences of a Markdown text stand once it is rendered: letters and digits are found, all else is skipped. */

const KEPT = /[\p{L}\p{N}]/gu;
/** What a rendered text does not show of its source: fences' languages, items' numbers, links' addresses, tags, entities. */
const UNSEEN = /^[ \t]*(?:`{3,}|~{3,}).*$|^[ \t]*\d{1,9}[.)](?=\s|$)|\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s[^()]*)?\)|<\/?[a-z][^<>]*>|&(?:#?\w{2,30});/gimu;
/** How far after its place a sentence is looked for, besides what was not found before it. Characters. */
const AHEAD = 200;
/** How many marks around a sentence's letters are taken to it, on each side. UTF-16 units. */
const MARKS = 8;

/**
 * The range of each sentence; null where it is not found.
 * @param {Element} root of the rendered text
 * @param {string[]} sentences of its source, in their order
 * @returns {(StaticRange|null)[]}
 */
export function placesOf(root, sentences) {
  const shown = read(root);
  let at = 0;
  let lost = 0;
  return sentences.map((sentence) => {
    const key = lettersOf(sentence.replace(UNSEEN, " "));
    const limit = at + lost + AHEAD + key.length;
    const found = key ? shown.letters.slice(at, limit).indexOf(key) : -1;
    if (found < 0) {
      lost += key.length;
      return null;
    }
    const start = at + found;
    at = start + key.length;
    lost = 0;
    const [first, last] = [shown.places[start], shown.places[at - 1]];
    return first && last ? rangeOf(first, last) : null;
  });
}

/** @param {string} text */
function lettersOf(text) {
  return (text.match(KEPT) ?? []).join("");
}

/**
 * @typedef {{node: Text|Element, offset: number, length: number}} Place of a letter; an element has it as a whole
 * @param {Element} root
 * @returns {{letters: string, places: Place[]}} as many places as `letters` has UTF-16 units
 */
function read(root) {
  const parts = [];
  /** @type {Place[]} */
  const places = [];
  for (const { node, text } of pieces(root)) {
    for (const { 0: letter, index } of text.matchAll(KEPT)) {
      parts.push(letter);
      for (let unit = 0; unit < letter.length; unit += 1) places.push({ node, offset: index, length: letter.length });
    }
  }
  return { letters: parts.join(""), places };
}

/**
 * The texts that came from the source, in order. Code and formulas are one piece each: they are painted anew by others.
 * @param {Element} root
 * @returns {Generator<{node: Text|Element, text: string}>}
 */
function* pieces(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT, (node) => {
    if (node.parentElement && whole(node.parentElement)) return NodeFilter.FILTER_REJECT;
    if (!(node instanceof Element)) return NodeFilter.FILTER_ACCEPT;
    if (node.matches("figcaption, .moa-host, .moa-instead, .moa-quiet")) return NodeFilter.FILTER_REJECT;
    return whole(node) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP;
  });
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node instanceof HTMLElement) yield { node, text: node.dataset.tex ?? node.textContent ?? "" };
    else if (node instanceof Text) yield { node, text: node.data };
  }
}

/** @param {Element} element */
function whole(element) {
  return element.matches("[data-tex], .moa-code pre");
}

/** Static, so that it outlives its turn being moved to another place of the page. @param {Place} first @param {Place} last */
function rangeOf(first, last) {
  const [startContainer, startOffset] = first.node instanceof Text
    ? [first.node, first.offset - opening(first.node.data, first.offset)] : around(first.node, 0);
  const [endContainer, endOffset] = last.node instanceof Text
    ? [last.node, closing(last.node.data, last.offset + last.length)] : around(last.node, 1);
  return new StaticRange({ startContainer, startOffset, endContainer, endOffset });
}

/** The point before (0) or after (1) an element. @param {Element} element @param {0|1} side @returns {[Node, number]} */
function around(element, side) {
  const parent = /** @type {Element} */ (element.parentElement);
  return [parent, Array.prototype.indexOf.call(parent.childNodes, element) + side];
}

/** How many quotes and brackets open right before a place. @param {string} text @param {number} at */
function opening(text, at) {
  return /[\p{Ps}\p{Pi}"'¿¡]*$/u.exec(text.slice(Math.max(0, at - MARKS), at))?.[0].length ?? 0;
}

/** Where the marks end that follow right after a place. @param {string} text @param {number} at */
function closing(text, at) {
  return at + (/^[^\p{L}\p{N}\s]*/u.exec(text.slice(at, at + MARKS))?.[0].length ?? 0);
}
