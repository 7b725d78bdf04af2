// @ts-check
/** Strength against a price: a mark and an interval for each system, and the line of those that nothing beats. */
import { logTicks, picture, scale, shortened, svg, ticks, widthOf } from "./results-svg.js";
import { texts } from "./texts.js";

/** @typedef {import("./results-data.js").Spot} Spot */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Box */
/** @typedef {{spot: Spot, x: number, y: number, top: number, bottom: number}} Place its mark, and its interval's ends */

const HEIGHT = 380;
const EDGE = { top: 16, right: 20, bottom: 56, left: 62 };
const WIDE = 20; // prices further apart than by this factor would crowd at one side of an even scale

/**
 * @param {Spot[]} spots @param {{label: string, price: (value: number) => string, unit: number}} kind `unit`: the
 *     price's unit in that of the label
 * @returns {HTMLElement}
 */
export function scatter(spots, kind) {
  const priced = spots.map((spot) => ({ ...spot, price: spot.price / kind.unit }));
  return picture(summary(priced, kind.price), (width) => ({ height: HEIGHT, parts: drawn(priced, kind, width) }));
}

/** @param {Spot[]} spots @param {(value: number) => string} price */
function summary(spots, price) {
  const front = spots.filter((spot) => spot.front);
  return texts.results.front(front.map((spot) => texts.results.spot(spot.system, spot.strength, price(spot.price))));
}

/** @param {Spot[]} spots @param {{label: string, price: (value: number) => string}} kind @param {number} width */
function drawn(spots, kind, width) {
  const prices = spots.map((spot) => spot.price);
  const [least, most] = [Math.min(...prices), Math.max(...prices)];
  const log = least > 0 && most / least > WIDE;
  const marks = log ? logTicks(least, most, width < 500 ? 4 : 8) : ticks(most || 1, width < 500 ? 3 : 6);
  const x = scale(marks[0], marks[marks.length - 1], EDGE.left, width - EDGE.right, log);
  const low = Math.floor(Math.min(...spots.map((spot) => spot.low)) * 10) / 10;
  const high = Math.ceil(Math.max(...spots.map((spot) => spot.high)) * 10) / 10;
  const y = scale(low, high, HEIGHT - EDGE.bottom, EDGE.top);
  const placed = spots.map((spot) => ({ spot, x: x(spot.price), y: y(spot.strength), top: y(spot.high), bottom: y(spot.low) }));
  return [
    ...marks.flatMap((tick) => along(x(tick), kind.price(tick))),
    ...shares(low, high).flatMap((tick) => across(y(tick), width, texts.results.percent(tick))),
    svg("text", { x: width / 2, y: HEIGHT - 10, "text-anchor": "middle", class: "moa-axis",
      text: log ? texts.results.logScale(kind.label) : kind.label }),
    svg("text", { x: 14, y: (EDGE.top + HEIGHT - EDGE.bottom) / 2, "text-anchor": "middle", class: "moa-axis",
      transform: `rotate(-90 14 ${(EDGE.top + HEIGHT - EDGE.bottom) / 2})`, text: texts.results.strengthAxis }),
    line(placed.filter(({ spot }) => spot.front)),
    ...placed.flatMap(mark),
    ...labels(placed, width),
  ];
}

/** @param {number} low @param {number} high */
function shares(low, high) {
  const step = high - low > 0.5 ? 0.2 : 0.1;
  return Array.from({ length: 11 }, (_, i) => i * step).filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
}

/** @param {number} x @param {string} text */
function along(x, text) {
  return [
    svg("line", { x1: x, x2: x, y1: EDGE.top, y2: HEIGHT - EDGE.bottom, class: "moa-grid" }),
    svg("text", { x, y: HEIGHT - EDGE.bottom + 18, "text-anchor": "middle", class: "moa-tick", text }),
  ];
}

/** @param {number} y @param {number} width @param {string} text */
function across(y, width, text) {
  return [
    svg("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y, y2: y, class: "moa-grid" }),
    svg("text", { x: EDGE.left - 8, y: y + 4, "text-anchor": "end", class: "moa-tick", text }),
  ];
}

/** Steps, since a price between two systems buys the cheaper one. @param {{x: number, y: number}[]} front */
function line(front) {
  const parts = front.map(({ x, y }, i) => (i ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)},${y.toFixed(1)}`));
  return svg("path", { d: parts.join(""), class: "moa-front" });
}

/** @param {Place} place */
function mark({ spot, x, y, top, bottom }) {
  const few = spot.enough ? "" : " moa-few";
  return [
    svg("path", { d: `M${x},${top}V${bottom}M${x - 5},${top}h10M${x - 5},${bottom}h10`, class: `moa-range${few}` }),
    svg("circle", { cx: x, cy: y, r: 6, class: spot.front ? "moa-mark" : "moa-mark moa-hollow" },
      svg("title", { text: spot.system })),
  ];
}

/**
 * The systems' names where they cover no mark, no line and no other name; else where they cover only lines. One that
 * finds no room stands in the table alone.
 * @param {Place[]} placed @param {number} width
 */
function labels(placed, width) {
  const lines = [...placed.map(bar), ...steps(placed.filter(({ spot }) => spot.front))];
  /** @type {Box[]} */
  const taken = placed.map(({ x, y }) => ({ left: x - 7, right: x + 7, top: y - 7, bottom: y + 7 }));
  const found = [];
  for (const { spot, x, y } of [...placed].sort((one, other) => Number(other.spot.front) - Number(one.spot.front))) {
    const text = shortened(spot.system, width < 500 ? 120 : 220);
    const room = around(x, y, widthOf(text) + 2).filter((box) => fits(box, taken, width));
    const free = room.find((box) => fits(box, lines, width)) ?? room[0];
    if (!free) continue;
    taken.push(free);
    found.push(svg("text", { x: free.left, y: free.bottom - 4, class: "moa-name", text }, svg("title", { text: spot.system })));
  }
  return found;
}

/** Where a name could stand, the best first. @param {number} x @param {number} y @param {number} length @returns {Box[]} */
function around(x, y, length) {
  const tops = [-22, 4, -9, -40, 22, -58, 40].map((down) => y + down);
  const lefts = [x + 11, x - 11 - length];
  return tops.flatMap((top) => lefts.map((left) => ({ left, right: left + length, top, bottom: top + 18 })));
}

/** @param {Place} place @returns {Box} */
function bar({ x, top, bottom }) {
  return { left: x - 5, right: x + 5, top, bottom };
}

/** @param {Place[]} front @returns {Box[]} */
function steps(front) {
  return front.slice(1).flatMap(({ x, y }, i) => [
    { left: front[i].x, right: x, top: front[i].y - 1, bottom: front[i].y + 1 },
    { left: x - 1, right: x + 1, top: y, bottom: front[i].y },
  ]);
}

/** @param {Box} box @param {Box[]} taken @param {number} width */
function fits(box, taken, width) {
  const inside = box.left >= EDGE.left && box.right <= width && box.top >= 0 && box.bottom <= HEIGHT - EDGE.bottom;
  return inside && taken.every((other) =>
    box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
}
