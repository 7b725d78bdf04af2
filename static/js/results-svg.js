// @ts-check
/** Parts that the charts share: SVG elements, scales, ticks, and a frame that draws anew when its width changes. */
import { el } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

/** @type {CanvasRenderingContext2D|null|undefined} measures words */
let pen;

/**
 * Make an SVG element. The attribute `text` is its text.
 * @param {string} tag @param {Record<string, string|number>} [attributes] @param {...Node} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = String(value);
    else node.setAttribute(name, typeof value === "number" ? String(Math.round(value * 100) / 100) : value);
  }
  node.append(...children);
  return node;
}

/**
 * A chart of one picture to those who see it and one sentence to those who don't. It is drawn for its width in pixels,
 * so that its words have the page's size on every screen.
 * @param {string} summary
 * @param {(width: number) => {height: number, parts: SVGElement[]}} draw
 * @returns {HTMLElement}
 */
export function picture(summary, draw) {
  const frame = el("div", { class: "moa-chart" });
  let drawn = 0;
  new ResizeObserver(() => {
    const width = Math.floor(frame.clientWidth);
    if (width === 0 || width === drawn) return;
    drawn = width;
    const { height, parts } = draw(width);
    frame.replaceChildren(svg("svg", { width, height, role: "img", "aria-label": summary }, ...parts));
  }).observe(frame);
  return frame;
}

/**
 * @param {number} from @param {number} to values at the ends @param {number} start @param {number} end pixels
 * @param {boolean} [log] both values must be over 0 then
 * @returns {(value: number) => number}
 */
export function scale(from, to, start, end, log = false) {
  const measure = log ? Math.log : (/** @type {number} */ value) => value;
  const length = measure(to) - measure(from);
  return (value) => start + (length ? (measure(value) - measure(from)) / length : 0.5) * (end - start);
}

/**
 * Round numbers from 0 that reach `most`, about as many as asked for.
 * @param {number} most over 0 @param {number} count @param {number} [least] the smallest step
 */
export function ticks(most, count, least = 0) {
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(least, power * ([1, 2, 5, 10].find((n) => n * power >= rough * 0.999) ?? 10));
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step);
}

/**
 * Round numbers from below `low` to above `high`: 1, 2 and 5 in each power of ten, or only the powers where those would
 * be too many.
 * @param {number} low over 0 @param {number} high @param {number} most
 */
export function logTicks(low, high, most) {
  const fine = between(low, high, [1, 2, 5]);
  return fine.length <= most ? fine : between(low, high, [1]);
}

/** @param {number} low @param {number} high @param {number[]} digits */
function between(low, high, digits) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)); power++) {
    all.push(...digits.map((n) => Number(`${n}e${power}`)));
  }
  return all.slice(all.findLastIndex((tick) => tick <= low), all.findIndex((tick) => tick >= high) + 1);
}

/** How wide a name will be drawn (`.moa-name`), in pixels. @param {string} text */
export function widthOf(text) {
  pen ??= document.createElement("canvas").getContext("2d");
  if (!pen) return text.length * 9;
  pen.font = `500 14px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

/** The name, its end cut off where it is wider than so many pixels. @param {string} name @param {number} room */
export function shortened(name, room) {
  const letters = [...name].slice(0, 100); // no chart has room for more
  if (letters.length === [...name].length && widthOf(name) <= room) return name;
  while (letters.length > 1 && widthOf(`${letters.join("")}…`) > room) letters.pop();
  return `${letters.join("")}…`;
}
