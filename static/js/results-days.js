// @ts-check
/** Votes over time: how many there were by the end of each day. */
import { picture, scale, svg, ticks } from "./results-svg.js";
import { texts } from "./texts.js";

/** @typedef {import("./results-data.js").Day} Day */

const HEIGHT = 220;
const EDGE = { top: 16, right: 24, bottom: 32, left: 48 };
const DAY_MS = 86_400_000;
const DOTS = 60; // more of them would only be a thicker line

/** @param {Day[]} days in their order, at least one @returns {HTMLElement} */
export function overDays(days) {
  const last = days[days.length - 1];
  return picture(texts.results.grown(last.total, days[0].day, last.day), (width) => ({ height: HEIGHT, parts: drawn(days, width) }));
}

/** @param {Day[]} days @param {number} width */
function drawn(days, width) {
  const times = days.map((day) => Date.parse(day.day));
  const [first, last] = [times[0], times[times.length - 1]];
  const counts = ticks(days[days.length - 1].total, 4, 1);
  const x = scale(first, last, EDGE.left, width - EDGE.right);
  const y = scale(0, counts[counts.length - 1], HEIGHT - EDGE.bottom, EDGE.top);
  const points = days.map((day, i) => ({ x: x(times[i]), y: y(day.total) }));
  const path = points.map((point, i) => (i ? `L${point.x},${point.y}` : `M${point.x},${point.y}`)).join("");
  return [
    ...counts.flatMap((count) => [
      svg("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(count), y2: y(count), class: "moa-grid" }),
      svg("text", { x: EDGE.left - 8, y: y(count) + 4, "text-anchor": "end", class: "moa-tick", text: count.toLocaleString("en") }),
    ]),
    ...dates(first, last, width < 500 ? 2 : 5).map((time) =>
      svg("text", { x: x(time), y: HEIGHT - 10, "text-anchor": anchor(time, first, last), class: "moa-tick", text: dated(time) })),
    svg("path", { d: path, class: "moa-line" }),
    ...(points.length > DOTS ? [] : points.map((point) => svg("circle", { cx: point.x, cy: point.y, r: 4, class: "moa-mark" }))),
  ];
}

/** Whole days, evenly from the first to the last. @param {number} first @param {number} last @param {number} count */
function dates(first, last, count) {
  const days = (last - first) / DAY_MS;
  const gaps = Math.min(count - 1, days);
  if (gaps === 0) return [first];
  return Array.from({ length: gaps + 1 }, (_, i) => first + Math.round((i * days) / gaps) * DAY_MS);
}

/** @param {number} time @param {number} first @param {number} last */
function anchor(time, first, last) {
  if (first === last) return "middle";
  if (time === first) return "start";
  return time === last ? "end" : "middle";
}

/** @param {number} time */
function dated(time) {
  return new Date(time).toLocaleDateString("en", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" });
}
