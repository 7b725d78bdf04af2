// @ts-check
/** The ranking: for each system its strength with the interval, and beside it what is left with style held equal. */
import { picture, scale, shortened, svg, widthOf } from "./results-svg.js";
import { texts } from "./texts.js";

/** @typedef {import("./results-data.js").Place} Place */

const ROW = 62;
const EDGE = { left: 12, right: 12, bottom: 46 };
const STEPS = [0, 0.25, 0.5, 0.75, 1];

/** @param {Place[]} plain the best first @param {Place[]} controlled @returns {HTMLElement} */
export function ranking(plain, controlled) {
  const said = plain.map((place) => texts.results.placed(place.rank, place.system, place.strength));
  const equal = new Map(controlled.map((place) => [place.system, place]));
  return picture(texts.results.ranked(said), (width) => drawn(plain, equal, width));
}

/** @param {Place[]} plain @param {Map<string, Place>} equal @param {number} width */
function drawn(plain, equal, width) {
  const foot = plain.length * ROW;
  const x = scale(0, 1, EDGE.left, width - EDGE.right);
  const parts = [
    ...STEPS.flatMap((share, i) => [
      svg("line", { x1: x(share), x2: x(share), y1: 0, y2: foot, class: share === 0.5 ? "moa-grid moa-middle" : "moa-grid" }),
      svg("text", { x: x(share), y: foot + 16, class: "moa-tick", text: texts.results.percent(share),
        "text-anchor": i === 0 ? "start" : i === STEPS.length - 1 ? "end" : "middle" }),
    ]),
    svg("text", { x: width / 2, y: foot + 38, "text-anchor": "middle", class: "moa-axis", text: texts.results.strengthAxis }),
    ...plain.flatMap((place, row) => line(place, equal.get(place.system), row * ROW, x, width)),
  ];
  return { height: foot + EDGE.bottom, parts };
}

/**
 * @param {Place} place @param {Place|undefined} equal @param {number} top @param {(share: number) => number} x
 * @param {number} width
 */
function line(place, equal, top, x, width) {
  const figures = texts.results.interval(place.strength, place.strength_low, place.strength_high);
  const room = width - EDGE.left - EDGE.right - widthOf(figures) - 8;
  const name = `${place.rank}. ${place.system}`;
  const full = place.enough ? name : `${name} · ${texts.results.votes(place.votes)}`;
  const parts = [
    svg("text", { x: EDGE.left, y: top + 18, class: "moa-name", text: shortened(full, room) }, svg("title", { text: full })),
    svg("text", { x: width - EDGE.right, y: top + 18, "text-anchor": "end", class: "moa-value", text: figures }),
    range(place, x, top + 33),
    svg("circle", { cx: x(place.strength), cy: top + 33, r: 6, class: "moa-mark" }),
  ];
  if (equal) parts.push(range(equal, x, top + 49), diamond(x(equal.strength), top + 49));
  return parts;
}

/** @param {Place} place @param {(share: number) => number} x @param {number} y */
function range(place, x, y) {
  const [low, high] = [x(place.strength_low), x(place.strength_high)];
  const few = place.enough ? "" : " moa-few";
  return svg("path", { d: `M${low},${y}H${high}M${low},${y - 4}v8M${high},${y - 4}v8`, class: `moa-range${few}` });
}

/** @param {number} x @param {number} y */
function diamond(x, y) {
  return svg("path", { d: `M${x - 6},${y}l6,-6l6,6l-6,6Z`, class: "moa-mark moa-hollow" });
}
